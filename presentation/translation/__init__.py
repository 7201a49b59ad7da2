"""What there is to translate in a template, how far it is, and how it travels to translators and back."""
