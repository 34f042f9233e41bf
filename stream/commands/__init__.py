"""What a person or a script can ask of Warmline; one file for each kind of question."""
