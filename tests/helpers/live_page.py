"""A page in a real browser that a test can click, type and look into."""

from contextlib import contextmanager

from helpers.browser import CHROMIUM

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@contextmanager
def browser():
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@contextmanager
def opened(chromium, path, address="", **context):
    """The page of a file once its first face is there; `seen` is what it asked for, and its complaints."""
    fresh = chromium.new_context(**context)
    page, seen = fresh.new_page(), []
    page.set_default_timeout(30_000)
    page.on("request", lambda request: seen.append(request.url) if request.url.startswith(("http", "ws")) else None)
    ours = "willReadFrequently"  # a hint about what `pixels` does, not the page
    complains = lambda message: message.type in ("error", "warning") and ours not in message.text  # noqa: E731
    page.on("console", lambda message: seen.append(message.text) if complains(message) else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.goto(path.as_uri() + address)
    page.locator("#actual[aria-label]").wait_for()
    yield page, seen
    fresh.close()


def pixels(page, canvas):
    """The colours of a canvas, from 0 to 255."""
    script = "id => Array.from(document.getElementById(id).getContext('2d').getImageData(0, 0, 64, 64).data)"
    return page.evaluate(script, canvas)


def until(page, holds, seconds=30):
    """Wait until a condition holds."""
    for _ in range(10 * seconds):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it does not hold after {seconds} s")


def answered(page):
    """Wait until what is asked is answered, in words and in all pictures."""
    page.locator("#changed[aria-busy=false]", has_text="Asked").wait_for()
    return page.locator("#changed").inner_text()
