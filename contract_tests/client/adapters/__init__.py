"""Shipped adapters, by the names that ``--adapter`` knows."""

from typing import Final

SHIPPED: Final = {
    "workflow_runs": "contract_tests.client.adapters.workflow_runs:WorkflowRuns",
    "openapi-python-client": "contract_tests.client.adapters.openapi_python_client:OpenapiPythonClient",
    "openapi-generator": "contract_tests.client.adapters.openapi_generator:OpenApiGenerator",
    "promptlayer": "contract_tests.client.adapters.promptlayer:PromptLayerSdk",
    "stainful": "contract_tests.client.adapters.stainful:Stainful",
    "openapi-python-client-short": "contract_tests.client.adapters.openapi_python_client:ShortForms",
    "operation-classes": "contract_tests.client.adapters.operation_classes:OperationClasses",
}
