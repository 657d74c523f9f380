"""Draw docs/serve-forecast.png and docs/serve-inside.png: the page in Chromium, before a server of its own.

python docs/make_serve.py      needs Debian's chromium, or one named in GRUWORKS_CHROMIUM
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

PORT = 8766
PICTURES = {
    "serve-forecast": ("forecast?go=1", "#panel-forecast .main-svg"),
    "serve-inside": ("inside?numbers=1%2C+2%2C+3%2C+4%2C+5&by=gru", "#panel-inside .main-svg"),
}


def main() -> None:
    server = subprocess.Popen([sys.executable, "-m", "gruworks", "serve", "--port", str(PORT), "--quiet", "--no-token"])
    try:
        _wait()
        with sync_playwright() as playwright:
            path = os.environ.get("GRUWORKS_CHROMIUM", "/usr/bin/chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            for name, (fragment, sign) in PICTURES.items():
                _draw(browser, name, fragment, sign)
            browser.close()
    finally:
        server.terminate()
        server.wait(10)


def _wait() -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health").read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def _draw(browser: Any, name: str, fragment: str, sign: str) -> None:
    page = browser.new_page(viewport={"width": 1120, "height": 820}, color_scheme="light", locale="en-GB")
    page.goto(f"http://127.0.0.1:{PORT}/#{fragment}")
    page.wait_for_selector(sign, timeout=60_000)
    page.wait_for_timeout(2500)
    path = Path(__file__).with_name(f"{name}.png")
    page.screenshot(path=str(path))
    Image.open(path).convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)
    page.close()


if __name__ == "__main__":
    main()
