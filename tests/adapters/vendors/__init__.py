"""Vendors of our own on a real socket, one small file each: they take what their contract takes, write down what they accept
before they answer, and misbehave on demand. The same questions can be put to a judge that shares no code with us (OMNI_TEST_LAB)."""
