"""How bytes leave the house: one small module per protocol, behind `delivery.connections`."""
