"""The command line `workflow-runs`: start runs, ask for results, run batches, show callbacks as they come."""
