"""Handing over to a person: the state machine, its clock, duty hours, and what citizens read. Pure."""
