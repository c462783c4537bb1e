"""Headers: which way did a message take, where did it wait, and whom can one believe?"""

from dashboard import data, ways

text = ways.ask()
own = ways.ask_own() if text else []
told = data.ways(text, own) if text else []

if not text:
    ways.how_to_get_them()
for number, letter in enumerate(told):
    ways.show(letter, number)
if told and data.state() != data.LakeState.MISSING:
    ways.offer_to_keep(text, data.keep)
