"""The pure core: a compiled workflow, its events, the state they make, and what to do next. No clock, no I/O."""
