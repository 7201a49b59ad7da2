"""The engines that answer rules, and what they have in common."""
