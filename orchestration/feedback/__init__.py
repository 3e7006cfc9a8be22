"""What goes back to each supplier: its own faults, in its own row identities, ranked by what they cost."""
