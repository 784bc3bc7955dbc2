"""The weather machine: coinlog in a storm of faults, and an account of what became of each slot."""
