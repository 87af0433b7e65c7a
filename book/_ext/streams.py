"""Join what a cell printed in pieces, without changing it.

A kernel sends printed text in pieces cut at any place. myst-nb joins them with a line break after
each, which breaks a line in two wherever the cut fell inside it.
"""

from myst_nb.core import render


def joined(outputs):
    """The outputs with consecutive pieces of one stream made one."""
    result = []
    for output in outputs:
        last = result[-1] if result else None
        if (
            last is not None
            and output["output_type"] == last["output_type"] == "stream"
            and output["name"] == last["name"]
        ):
            last["text"] += output["text"]
        else:
            result.append(output)
    return result


def setup(app):
    render.coalesce_streams = joined
    return {"parallel_read_safe": True, "parallel_write_safe": True}
