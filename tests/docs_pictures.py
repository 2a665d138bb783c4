#!/usr/bin/python3
"""Renders pages of the documentation to pictures in target/docs-pictures, for a person to look at: light, dark and narrow.

Needs, on Debian: apt-get install chromium python3-markdown-it
"""

import html
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "target" / "docs-pictures"
PAGES = ["README.md", "docs/index.md", "docs/resources/storage_auth.md", "docs/guides/migrating-a-hub.md"]

# Name, width of the window, and what makes the browser prefer light or dark (blink's preferredColorScheme).
LOOKS = [("light", 1000, 1), ("dark", 1000, 0), ("narrow", 420, 1)]

# Near to how code hosts and registries show pages, and no copy of theirs.
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; max-width: 860px; margin: 32px auto; padding: 0 24px }
code, pre { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: #8882; border-radius: 6px }
code { padding: 2px 5px } pre { padding: 14px; overflow-x: auto } pre code { padding: 0; background: none }
table { border-collapse: collapse; display: block; overflow-x: auto; max-width: 100% }
td, th { border: 1px solid #8886; padding: 6px 12px; text-align: left }
img { max-width: 100% } blockquote { border-left: 4px solid #8886; margin: 0; padding: 0 16px }
"""


def fail(text):
    sys.exit(f"{text}: apt-get install chromium python3-markdown-it")


def rendered(page):
    """A page as HTML, with its pictures where the browser finds them."""
    text = (ROOT / page).read_text()
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    body = MarkdownIt("commonmark").enable("table").render(text)
    base = (ROOT / page).parent.as_uri()
    title = html.escape(page)
    return f'<!doctype html><meta charset="utf-8"><title>{title}</title><base href="{base}/"><style>{STYLE}</style>{body}'


def height(browser, address, width, scheme):
    """How high the page is at this width, once its pictures are there."""
    probe = "<script>onload = () => { document.title = document.documentElement.scrollHeight }</script>"
    file = PICTURES / "probe.html"
    file.write_text(address.read_text() + probe)
    dom = run(browser, file, width, 800, scheme, "--virtual-time-budget=1000", "--dump-dom")
    file.unlink()
    return int(re.search(r"<title>(\d+)</title>", dom).group(1))


def run(browser, file, width, tall, scheme, *more):
    # A container's root has no sandbox of the browser; it shows files of this repository alone.
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{tall}"]
    command += [f"--blink-settings=preferredColorScheme={scheme}", *more, file.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


try:
    from markdown_it import MarkdownIt
except ImportError:
    fail("The Python package markdown-it-py is missing")
browser = shutil.which("chromium") or shutil.which("google-chrome") or fail("Chromium is missing")

shutil.rmtree(PICTURES, ignore_errors=True)
PICTURES.mkdir(parents=True)
for page in PAGES:
    name = page.removesuffix(".md").replace("/", "-")
    source = PICTURES / f"{name}.html"
    source.write_text(rendered(page))
    for look, width, scheme in LOOKS:
        picture = PICTURES / f"{name}-{look}.png"
        tall = min(height(browser, source, width, scheme), 12000)
        run(browser, source, width, tall, scheme, f"--screenshot={picture}")
        print(picture.relative_to(ROOT))
