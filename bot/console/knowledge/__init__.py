"""The knowledge desk: what failed, the editor, the second pair of eyes, the confirmation round, the test panel."""
