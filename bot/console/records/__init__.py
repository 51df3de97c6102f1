"""The consultation log: list, one consultation, exports, who looked."""
