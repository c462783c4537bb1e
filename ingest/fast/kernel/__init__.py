"""The machine code of the fast lane: bytes to numbers, without Python objects and without the interpreter's lock.

Whatever is not surely what the reference would read is declined. All numbers are positions in one buffer: the texts of
constants, then the lines, each ended by a newline, then texts that are put together from parts of lines, then `SPARE`
bytes that may be read and mean nothing.
"""
