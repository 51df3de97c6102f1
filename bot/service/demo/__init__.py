"""A year of made-up consultations, to try reports and pages on; never mixed into real records."""
