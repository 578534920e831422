"""Timeline comments between the two cards of a deal: read, written on the other card once, kept up to date.

read_comment ─ read_author ─ [find_file ─ load_file …] ─ write_comment (answer lost: seek_comment)
                                                       └ edit_comment, when its copy stands
`…_back` are the same steps from the target to the source.
"""

from sync.flows.deals.comments import files, reading, writing
from sync.flows.deals.comments.copies import BACK, FORWARD, sort_comments

STEPS = {
    name: step
    for direction in (FORWARD, BACK)
    for part in (reading, files, writing)
    for name, step in part.steps(direction).items()
}

__all__ = ["STEPS", "sort_comments"]
