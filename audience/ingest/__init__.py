"""How people and events come in: rows are checked one by one, written set by set, and bad ones never stop the others."""
