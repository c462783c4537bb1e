"""What Python and the machine code say to each other: operations, states, tables. Numbers, for it has no enums."""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]
SmallInts: TypeAlias = npt.NDArray[np.int32]

# Operations of a shape's program: (operation, a, b, c, slot of the capture or -1)
LITERAL: Final = 0  # a: where in the literals, b: length
SPAN: Final = 1  # a: class, b and c: least and most characters
INTEGER: Final = 2  # c: most digits
DECIMAL: Final = 3
REST: Final = (
    4  # a: length of the literal that ends the line; b and c: the first and the end of the words of a remark
)
OPTION: Final = 5  # as LITERAL; c: where to go on if it is not there; slot: the class that must follow, or -1
TURN: Final = 6  # a and b: the first and the end of the words with which the capture makes the shape its twin
UPTO: Final = 7  # a: where in the literals, b: length, c: class
ENHANCED: Final = 8
DECLINE: Final = 9
END: Final = 10
DATA: Final = 11  # as UPTO, and may be nothing
PEEK: Final = 12  # a: class of the character that must follow
QUOTED: Final = 13
DURATION: Final = 14
WORD: Final = (
    15  # a and b: the first and the end of the words that the capture may be; c: slot of what they mean
)
SET: Final = 16  # a: the number that the slot becomes
REPEATED: Final = 17  # a and slot: an address and another that is told alone where it says the same
REPLY: Final = 18  # a: slot of the enhanced code
PART: Final = 19  # begins a part of a text that is put together; a: slot of its first capture, c: where to go on without
TEXT: Final = 20  # a and b: literal that is added to it
COPY: Final = 21  # a: capture that is added to it

# Steps of a stamp that a declaration spells: (step, byte)
CHARACTER: Final = 0  # this byte
YEAR: Final = 1
MONTH: Final = 2
MONTH_NAME: Final = 3
DAY_OF_MONTH: Final = 4
HOUR: Final = 5
MINUTE: Final = 6
SECOND: Final = 7
FRACTION: Final = 8
OFFSET: Final = 9
DAY_ENDS: Final = 10  # a T or a blank
MAY_BE_FRACTION: Final = 11
MAY_BE_OFFSET: Final = 12

# What the scanner's state holds
POSITION: Final = 0
LINE: Final = 1
ROWS: Final = 2
CAPTURES: Final = 3
DECLINED: Final = 4
BLANK: Final = 5
ENTRIES: Final = 6
WANTED: Final = 7  # what Python has to tell before the line at POSITION can be read: a day, or a tag
WANTED_AT: Final = 8
WANTED_SIZE: Final = 9
MADE: Final = 10  # where the texts end that were put together, ...
MADE_NOW: Final = 11  # ... those of the line under way included, ...
MADE_LIMIT: Final = 12  # ... and how far they may reach
OWN_PROGRAM: Final = (
    13  # of the lines of a server's own files, their tag, and the entry of their host: -1 if nobody's
)
OWN_TAG: Final = 14
OWN_HOST: Final = 15
OWN_LINES: Final = 16  # how many were understood
IS_BEHIND_OWN: Final = 17  # whether the line before was one
MINUTE_S: Final = 18  # of the stamp read last, in its own time
QUARTER: Final = 19  # of an hour, whose offset was asked last
QUARTER_OFFSET: Final = 20
LAST_HOST: Final = 21
STATE_SIZE: Final = 22
NOTHING: Final = 0
DAY: Final = 1
TAG: Final = 2

ABSENT: Final = -1  # a capture that is not there
FOREIGN: Final = -1  # a tag that no format claims
FOR_REFERENCE: Final = -2  # a tag whose lines the reference reads

HOST: Final = 0  # the dictionary of host names; the others are columns

# A capture is its position and length in one number
LENGTH_BITS: Final = 20
LENGTH_MASK: Final = (1 << LENGTH_BITS) - 1
# Below ABSENT a capture is a constant: -2 - its number
CONSTANT: Final = -2

SPARE: Final = 64
MAX_MESSAGE: Final = 32_768  # as in ingest.batch
MAX_TAG_WORDS: Final = 8
FIRST_YEAR: Final = 1971
END_YEAR: Final = 2100
FIRST_DAY: Final = 365  # days from 1970 to FIRST_YEAR
QUARTER_S: Final = 900
# In the table of offsets 0 means that Python has not told yet
OFFSET_BIAS: Final = 200_000
OFFSET_UNSURE: Final = -1


class Tables(NamedTuple):
    """What compile.py makes of the formats."""

    ops: SmallInts  # (operation, a, b, c, slot) a row
    starts: SmallInts  # where a shape's program begins
    slots: SmallInts  # how many captures a shape has, the queue id included
    literals: Words
    # of TURN, REST and WORD: (position in literals, length, constant that it means or -1, whether anything may follow)
    words: Ints
    twins: SmallInts  # by shape: the shape that TURN makes of it
    classes: Bytes  # 256 a class: 1 for the bytes in it
    dispatch: SmallInts  # by 2 * program + has queue id, and first byte: where in `candidates`
    candidates: SmallInts  # shapes in the order they are tried, each list ended by -1
    id_alphabets: Bytes  # by program: a bit an alphabet of queue ids that holds a byte
    id_sizes: Ints  # by program: least and most characters of each alphabet
    id_dashes: (
        Ints  # by program: where in an id of each alphabet dashes must be, a bit a place; 0 for anywhere
    )
    no_id: Ints  # by program: (position in literals, length)
    after_id: Ints
    dictionaries: SmallInts  # by shape and slot: the dictionary that its text belongs to, or -1
    absent: Words  # by dictionary: the text that means nothing, or 0
    absent_sizes: Ints
    constants: Ints  # (dictionary, position, length) a row
    stamp: SmallInts  # (step, byte) a row: how each line begins, if it is none of syslog's


class Tags(NamedTuple):
    """The tags met so far and what their lines are: a program's number, FOREIGN or FOR_REFERENCE."""

    slots: SmallInts
    text: Words
    size: Ints
    program: SmallInts
    count: Ints  # one entry


class Rows(NamedTuple):
    """What the scanner tells, an entry a line that it understood."""

    shape: SmallInts
    start: Ints
    head: Words  # length and first four bytes, as a string_view begins
    moment_us: Ints
    offset_s: SmallInts
    host: SmallInts  # an entry
    tag: SmallInts
    pid: Ints
    line: Ints
    first_capture: Ints
    captures: Ints  # numbers; entries of dictionaries; positions and lengths of texts that no dictionary has
    declined: Ints  # (line, position, length, whether behind a line of a server's own file) an entry
    tag_events: Ints
    tag_foreign: Ints
    entry_slots: SmallInts
    entries: Ints  # (position, length, dictionary) of each text of the dictionaries, once
