"""What can go wrong and whom it concerns.

MailscopeError          the user can mend it: its text is shown without a traceback, the exit code is 1
├── SourceError         a path, file or pipe cannot be read as logs
│   └── NoMatchError    no file matches a pattern: there may be one tomorrow
├── ParseError          one line, or one field of it, is not what its format allows: becomes an `unparsed` row
├── UnknownFormatError  no log format of that name, or none that recognises the lines
├── TimezoneError       no time zone of that name
├── ConfigError         mailscope.toml, or a key file, is not what it should be
└── LakeError           the Parquet lake is missing, damaged, in use or of another version

Every text says what was found and what would be right.
"""


class MailscopeError(Exception):
    """The root: `except MailscopeError` at the front door catches what is expected to go wrong, no bug."""


class SourceError(MailscopeError):
    """A path, file or pipe cannot be read as logs."""


class NoMatchError(SourceError):
    """No file matches a pattern."""


class ParseError(MailscopeError):
    """A line, or a field of it, is not what its format allows. Kept and counted as a row, never fatal."""


class UnknownFormatError(MailscopeError):
    """No log format of that name, or none that recognises the lines."""


class TimezoneError(MailscopeError):
    """No time zone of that name."""


class ConfigError(MailscopeError):
    """`mailscope.toml`, or a key file, is not what it should be."""


class LakeError(MailscopeError):
    """The lake is missing, damaged, in use or of another version."""
