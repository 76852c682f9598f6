"""Why there is no plan, and the least changes of cells that make one."""
