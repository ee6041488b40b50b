"""The promises of aml_magics, one folder for each room, and ``support`` for what they share."""
