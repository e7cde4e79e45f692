"""A page as Chromium shows it, without a window."""

import html
import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on PATH")

# Run in the page once all is loaded: what it asked for, what of its pictures could be read, how wide it is.
_PROBE = """<script>
addEventListener("load", () => {
  const requests = performance.getEntriesByType("resource").map(entry => entry.name);
  const seen = {
    images: [...document.images].map(image => image.naturalWidth),
    requests: requests.filter(name => !name.startsWith("data:")),
    width: innerWidth, scroll: document.documentElement.scrollWidth, title: document.title,
    foreign: document.querySelectorAll("b b, a[href^=http], script[src], iframe, object, link[href^=http]").length,
  };
  parent.postMessage(JSON.stringify(seen), "*");
});
</script>"""
_FRAME = """<!doctype html><iframe src="{}" style="width:{}px; height:900px; border:0"></iframe><pre id="probe"></pre>
<script>
addEventListener("message", told => {{ document.getElementById("probe").textContent = told.data; }});
</script>"""
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def probe(page, folder, width):
    """What a script sees in a page `width` pixels wide.

    Asked of a copy without the page's policy, which allows no script; in a frame, since windows are at least 500 wide.
    """
    copy, frame = folder / "probed.html", folder / f"frame-{width}.html"
    copy.write_text(_POLICY.sub("", page.read_text()).replace("</body>", _PROBE + "</body>"))
    frame.write_text(_FRAME.format(copy.name, width))
    printed = _run(folder, "--virtual-time-budget=20000", "--dump-dom", frame.as_uri())
    found = re.search(r'<pre id="probe">(.+?)</pre>', printed.stdout, re.DOTALL)
    assert found, printed.stderr
    return json.loads(html.unescape(found[1]))


def complaints(page, folder):
    """What the untouched page says on the console: errors, and what its policy had to refuse."""
    printed = _run(folder, "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom", page.as_uri())
    return [line for line in printed.stderr.splitlines() if "CONSOLE" in line]


def printed_pages(page, folder):
    """How many pages the untouched page takes on paper."""
    paper = folder / "printed.pdf"
    _run(folder, f"--print-to-pdf={paper}", "--no-pdf-header-footer", page.as_uri())
    content = paper.read_bytes()
    assert content.startswith(b"%PDF")
    return len(re.findall(rb"/Type\s*/Page\b", content))


def _run(folder, *flags):
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    quiet += ["--disable-background-networking", f"--user-data-dir={folder / 'profile'}"]
    return subprocess.run([CHROMIUM, *quiet, *flags], capture_output=True, text=True, timeout=120, check=True)
