"""What the runtime needs of the outside, as Protocols."""
