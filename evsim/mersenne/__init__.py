"""Random connectivity from the very numbers that numpy's ``RandomState`` would give, drawn in compiled code.

``RandomState`` is frozen (NEP 19): its Mersenne Twister, its uniform numbers, its bounded integers by masked rejection
and its shuffle stay as they are, so what is drawn here is what numpy draws, word for word.
"""
