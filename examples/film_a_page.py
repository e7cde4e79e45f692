"""Film a page while it is asked: an animated WebP of at most 2 MB.

    python -m causalcf.page --run pretrained:faces --out page.html
    python examples/film_a_page.py page.html film.webp

It needs Chromium on the PATH, and `pip install playwright`.
"""

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

QUESTION = "Given a young man, what if he were old?"
SIZE = {"width": 900, "height": 860}
SCALE = 0.7
FRAME = 160  # milliseconds
LARGEST = 2_000_000  # bytes


def film(page: Page, keep: Callable[[int], None]) -> None:
    """Ask a sentence, look at two more people, turn a switch, move the noise; `keep` takes frames of that length."""
    page.locator("#actual[aria-label]").wait_for()
    keep(4)
    box = page.get_by_label("Your question")
    for end in range(3, len(QUESTION) + 3, 3):
        box.fill(QUESTION[:end])
        keep(1)
    page.keyboard.press("Enter")
    page.locator("#changed[aria-busy=false]", has_text="Asked").wait_for()
    keep(8)
    for _ in range(2):
        page.get_by_role("button", name="Another person").click()
        page.wait_for_timeout(1500)
        keep(7)
    page.get_by_label("What if: Eyeglasses").select_option("1")
    page.mouse.wheel(0, -2000)
    page.wait_for_timeout(1500)
    keep(8)
    page.mouse.wheel(0, 560)
    page.wait_for_timeout(300)
    keep(8)
    slider = page.locator("#coordinates input").nth(2)
    slider.focus()
    slider.evaluate("one => one.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(1200)
    keep(8)


def main(source: str, target: str) -> None:
    frames: list[Image.Image] = []
    lengths: list[int] = []
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = started.new_page(viewport=SIZE)
        page.goto(Path(source).resolve().as_uri())

        def keep(frames_long: int) -> None:
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            size = round(shot.width * SCALE), round(shot.height * SCALE)
            frames.append(shot.resize(size, Image.Resampling.LANCZOS))
            lengths.append(FRAME * frames_long)

        film(page, keep)
        started.close()
    first, *rest = frames
    for quality in (70, 50, 30):
        first.save(target, save_all=True, append_images=rest, duration=lengths, loop=0, quality=quality, method=6)
        if Path(target).stat().st_size <= LARGEST:
            break
    print(f"wrote {target} ({Path(target).stat().st_size / 1e6:.2f} MB, {len(frames)} frames)")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
