"""Where a thread notes how far it is, and what it has done."""

from __future__ import annotations

# what a thread's progress consists of: the next step, the number of labels whose input was received, the number of
# steps whose spikes were queued, and the next of the sources' spikes and of the changes of drive
STEP, RECEIVED, PUSHED, SOURCE, CHANGE = range(5)

# what a thread spends its time with, and what it counts there; the update of each model has a place of its own
WAIT, PUSH, DELIVER, PLASTICITY, FEED, SAMPLE, UPDATE = range(7)

# why the loop returns: it is done, another thread failed, or a buffer must be made longer before it goes on
DONE, STOPPED, FULL_CALENDAR, FULL_LOG, FULL_HISTORY = range(5)
