"""Where work runs: events, jobs, devices, and the order in which tasks are done."""
