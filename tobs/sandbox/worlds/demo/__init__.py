"""The demo world: a restored telephone exchange, its channel @tobs_demo, and the people who write to it.

Stories are text in ``data/stories``; ``story.py`` reads them, ``build.py`` makes TL messages of them. Pictures, videos
and the PDF are made by ``build_pictures.py`` and ``build_pdf.py``. Recordings are under CC BY-SA 3.0: the
``LICENCE.txt`` beside them names their authors.
"""

from tobs.sandbox.worlds.demo.world import demo_world

__all__ = ["demo_world"]
