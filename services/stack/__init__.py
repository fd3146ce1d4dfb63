"""`imageconverter up`: the whole stack on one machine, every part of it real."""
