import pytest

from ingest.explain import MEANINGS
from ingest.formats.postfix.shapes import WITH_ID, WITHOUT_ID
from ingest.schema import ATTRIBUTES, FAMILY_BY_KIND, Kind
from ingest.shapes import CLASSES, ShapeError, compile_shape

ROWS = (*WITH_ID, *WITHOUT_ID)


def fields(template, text, **constants):
    """What a template reads in a text, or None if it is not of that shape."""
    shape = compile_shape(Kind.SERVER, template, constants)
    found = shape.match(text)
    return found and dict(zip(shape.columns, found.groups() + shape.constants, strict=True))


class TestNotation:
    def test_capture_becomes_a_column(self):
        found = fields(
            "connect from {client_name:host}[{client_ip:ip}]", "connect from mx.example.net[192.0.2.25]"
        )

        assert found == {"client_name": "mx.example.net", "client_ip": "192.0.2.25"}

    def test_capture_without_column_is_passed_over(self):
        found = fields("{:word} of {reason:rest}", "end of data")

        assert found == {"reason": "data"}

    def test_literal_is_taken_letter_by_letter(self):
        found = fields("a.b*(c) [d]", "axb*(c) [d]")

        assert found is None

    @pytest.mark.parametrize("text, port", [("x[::1]:25", "25"), ("x[::1]", None)])
    def test_optional_group_may_be_absent(self, text, port):
        found = fields("{relay_name:host}[{relay_ip:ip}]{?:{relay_port:int}?}", text)

        assert found["relay_port"] == port

    @pytest.mark.parametrize(
        "text, found", [("a", (None, None)), ("a:1", ("1", None)), ("a:1/2", ("1", "2"))]
    )
    def test_optional_groups_nest(self, text, found):
        values = fields("a{?:{uid:int}{?/{pid:int}?}?}", text)

        assert (values["uid"], values["pid"]) == found

    def test_constant_is_a_column_of_every_match(self):
        found = fields("PASS OLD [{client_ip:ip}]", "PASS OLD [192.0.2.1]", action="PASS OLD")

        assert found == {"client_ip": "192.0.2.1", "action": "PASS OLD"}

    def test_shape_takes_the_whole_message(self):
        found = fields("removed", "removed or not")

        assert found is None

    @pytest.mark.parametrize("text, found", [("No, 1", {"reply": "No, 1"}), ("no", None), ("", None)])
    def test_class_with_dots_is_of_the_first_character_only(self, text, found):
        assert fields("{reply:[A-Z]...}", text) == found

    @pytest.mark.parametrize(
        "text, found",
        [
            (r'T="a \"b\" c" d', {"reason": r"a \"b\" c"}),
            ('T="" d', {"reason": ""}),
            (r'T="a\" d', None),
            ('T="a" b" d', None),
        ],
    )
    def test_quoted_text_ends_at_a_quote_that_nothing_escapes(self, text, found):
        assert fields('T="{reason:quoted}" d', text) == found

    @pytest.mark.parametrize(
        "text, is_one", [("1w2d3h4m5.006s", True), ("0s", True), ("5m", True), ("5", False), ("1m2h", False)]
    )
    def test_duration_has_its_units_in_order(self, text, is_one):
        assert (fields("{delay_s:duration}", text) is not None) == is_one

    def test_rest_stops_before_the_literal_that_ends_the_line(self):
        found = fields("status={status:flow} ({reply:rest})", "status=sent (250 ok (really))")

        assert found == {"status": "sent", "reply": "250 ok (really)"}

    def test_number_too_long_for_its_column_is_no_number(self):
        found = fields("size={size_bytes:int}", "size=" + "9" * 19)

        assert found is None

    @pytest.mark.parametrize(
        "text, found", [("0.42", True), ("11", True), ("1.", False), (".5", False), ("1.2.3", False)]
    )
    def test_decimal_number_is_one(self, text, found):
        values = fields("delay={delay_s:num},", f"delay={text},")

        assert bool(values) is found


class TestRules:
    @pytest.mark.parametrize(
        "template, problem",
        [
            ("to=<{recipient:address}>", "no class 'address'"),
            ("{client_name:host}{client_ip:ip}", "two captures in a row, 'client_name' and 'client_ip'"),
            ("{reason:tok}{? {action:word}?}{sender:addr}", "two captures in a row, 'reason' and 'sender'"),
            ("{client_name:name}[{client_ip:ip}]", "'name' of 'client_name' may swallow the '['"),
            ("{action:word}s", "'word' of 'action' may swallow the 's'"),
            ("{reason:tok}{?=x?}, y", "'tok' of 'reason' may swallow the '='"),
            ("a{?{reason:word}?}", "an optional group must start with a literal"),
            ("a {?b {reason:word}", "an optional group is not closed"),
            ("{reason:word}{?", "an optional group is not closed"),
            ("{reason:word} b?}", "a ?} closes no optional group"),
        ],
    )
    def test_violation_is_named(self, template, problem):
        with pytest.raises(ShapeError) as caught:
            compile_shape(Kind.SERVER, template, {})

        assert problem in str(caught.value)

    def test_unknown_class_is_answered_with_the_known_ones(self):
        with pytest.raises(ShapeError) as caught:
            compile_shape(Kind.SERVER, "{reason:x}", {})

        assert all(name in str(caught.value) for name in CLASSES)


class TestPostfix:
    @pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}: {row[2][:70]}" for row in ROWS])
    def test_columns_of_a_shape_exist_in_its_family(self, row):
        kind, _, template, *constants = row
        shape = compile_shape(kind, template, constants[0] if constants else {})
        missing = set(shape.columns) - set(ATTRIBUTES[FAMILY_BY_KIND[kind]])

        assert not missing

    @pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}: {row[2][:70]}" for row in ROWS])
    def test_shape_fills_no_column_twice(self, row):
        kind, _, template, *constants = row
        columns = compile_shape(kind, template, constants[0] if constants else {}).columns

        assert len(set(columns)) == len(columns)

    @pytest.mark.parametrize("rows", [WITH_ID, WITHOUT_ID], ids=["with_id", "without_id"])
    def test_no_shape_stands_twice(self, rows):
        places = [(daemon, row[2]) for row in rows for daemon in row[1]]

        assert len(set(places)) == len(places)

    @pytest.mark.parametrize("kind", Kind)
    def test_kind_has_a_family(self, kind):
        assert kind in FAMILY_BY_KIND

    @pytest.mark.parametrize("kind", Kind)
    def test_kind_has_a_meaning(self, kind):
        assert kind in MEANINGS
