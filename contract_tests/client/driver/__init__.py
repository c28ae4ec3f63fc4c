"""The program inside the judged client's process."""
