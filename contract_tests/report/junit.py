"""The report as JUnit XML, as CI systems read it."""

import re
from xml.etree import ElementTree as ET

from contract_tests.report.results import Report, facts
from contract_tests.rules import Basis

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    """Return one test case per row: a failure if the row fails, skipped if it was not judged."""
    failures = sum(row["fails"] for row in report.results)
    skipped = sum(row["verdict"].startswith("not_") for row in report.results)
    suite = ET.Element(
        "testsuite",
        name="contract_tests",
        tests=str(len(report.results)),
        failures=str(failures),
        errors="0",
        skipped=str(skipped),
        time=str(report.duration_s),
        timestamp=_xml(str(report.run["started"])),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in facts(report):
        ET.SubElement(properties, "property", name=_xml(name), value=_xml(value))
    for row in report.results:
        name = f"{row['id']} {row['operation']}".strip()
        place = f"{row['side']}.{row['service'] or 'any'}"
        case = ET.SubElement(suite, "testcase", classname=_xml(place), name=_xml(name))
        if row["fails"]:
            failure = ET.SubElement(case, "failure", message=_xml(row["title"]))
            failure.text = _xml(_text(row))
        elif row["verdict"].startswith("not_"):
            ET.SubElement(case, "skipped", message=_xml(row["received"]))
        elif row["verdict"] != "pass":
            ET.SubElement(case, "system-out").text = _xml(f"{row['verdict']}\n{_text(row)}")
    root = ET.Element("testsuites")
    root.append(suite)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _text(row: object) -> str:
    assert isinstance(row, dict)
    expected = "Expected" if row["basis"] == Basis.INFERRED else "Documented"
    return f"{expected}: {row['documented']}\nReceived: {row['received']}\nReproduce with: {row['reproduce']}"


def _xml(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
