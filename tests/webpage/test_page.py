"""The page in a browser: each control does what it says, nothing is requested, hostile text is text, all can use it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.browser import complaints, needs_chromium
from helpers.label_oracles import ALPHA
from helpers.live_page import answered, opened, pixels, until
from helpers.report_toys import suite
from PIL import Image
from scipy.stats import kstest

from causalcf.errors import RunError, WriteError
from causalcf.evaluation.suite import VERDICTS
from causalcf.labels import LabelSCM
from causalcf.labels.mechanisms import TableMechanism
from causalcf.page import main, write_page
from causalcf.runs.loading import load_run

pytestmark = needs_chromium


@pytest.mark.parametrize("name", ["faces", "plain", "dcgan", "hostile"])
def test_a_page_opens_without_complaint_or_request(chromium, pages, name, tmp_path):
    with opened(chromium, pages[name], viewport={"width": 360, "height": 800}) as (page, seen):
        if name != "dcgan":
            page.locator("#network select").nth(1).select_option("1")
            answered(page)
        assert seen == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("b b, img, iframe").count() == 0
        assert len(set(pixels(page, "actual"))) > 20
    assert complaints(pages[name], tmp_path) == []


def test_what_would_be_seen(chromium, pages, tmp_path):
    """A request and a foreign script: else the test above might pass on any page."""
    bad = tmp_path / "bad.html"
    inserted = '<script>alert(1)</script><img src="http://127.0.0.1:9/x.png" alt=""></body>'
    bad.write_text(pages["plain"].read_text().replace("</body>", inserted))
    with opened(chromium, bad) as (_, seen):
        assert sum("Content Security Policy" in line for line in seen) == 2


def test_a_sentence_is_asked_and_a_wrong_one_explained(chromium, pages):
    with opened(chromium, pages["faces"]) as (page, _):
        page.get_by_label("Your question").fill("Given a young man, what if he were bald?")
        page.keyboard.press("Enter")
        assert answered(page).startswith("Asked: Bald")
        assert page.locator("#understood").inner_text() == "given Young = 1, Male = 1; do Bald = 1"
        assert page.locator(".label", has_text="Bald").locator("p").nth(1).inner_text().endswith("→ 100%")
        page.get_by_label("Your question").fill("Given a man, what if he were purple?")
        page.keyboard.press("Enter")
        assert page.locator("#understood").inner_text() == '"purple" is not understood.'


def test_every_example_is_answered(chromium, pages):
    with opened(chromium, pages["faces"]) as (page, _):
        chips = page.locator("#chips button")
        for i in range(chips.count()):
            chips.nth(i).click()
            assert answered(page).startswith("Asked")
            assert page.locator("#understood.wrong").count() == 0
        assert chips.count() == 6


def test_an_effect_lights_its_arrow(chromium, pages):
    with opened(chromium, pages["faces"], "#" + "run=x&given=Young:1,Male:1,Eyeglasses:0") as (page, _):
        page.get_by_label("What if: Young").select_option("0")
        answered(page)
        page.locator("#arrows .passed").first.wait_for(state="attached")
        lit = set(page.locator("#arrows .passed").evaluate_all("all => all.map(one => one.dataset.edge)"))
        assert "Young>Eyeglasses" in lit and not any(edge.startswith("Male>") for edge in lit)
        page.get_by_label("What if: Young").select_option("1")  # what already holds has no effect
        page.locator("#changed", has_text="yes → yes").wait_for()
        assert page.locator("#arrows .passed").count() == 0


def test_controls_change_what_they_say(chromium, pages):
    with opened(chromium, pages["faces"]) as (page, _):
        first = pixels(page, "actual")
        page.get_by_role("button", name="Another person").click()
        until(page, lambda: pixels(page, "actual") != first)
        second = pixels(page, "actual")
        page.get_by_label("What if: Eyeglasses").select_option("1")
        answered(page)
        assert pixels(page, "actual") == second
        page.get_by_label("The change is").select_option("observe")
        assert page.locator("#stickiness").input_value() == "0.53"
        until(page, lambda: page.locator("#draws canvas[aria-label*=':']").count() == 6)
        drawn = pixels(page, "counterfactual")
        page.get_by_role("button", name="Same person, another draw").click()
        until(page, lambda: pixels(page, "counterfactual") != drawn)
        assert pixels(page, "actual") == second


def test_noise_sliders_change_the_face_and_reset_brings_it_back(chromium, pages):
    with opened(chromium, pages["faces"]) as (page, _):
        face = pixels(page, "actual")
        slider = page.locator("#coordinates input").first
        slider.focus()
        assert page.locator("#sweep canvas").count() == 7
        slider.fill("1" if float(slider.input_value()) < 0 else "-1")
        until(page, lambda: pixels(page, "actual") != face)
        page.get_by_role("button", name="Reset the noise").click()
        until(page, lambda: pixels(page, "actual") == face)
        page.locator("#way").fill("1")
        until(page, lambda: pixels(page, "actual") != face)


def test_a_link_shows_the_same_answer(chromium, pages):
    with opened(chromium, pages["faces"]) as (page, _):
        page.get_by_role("button", name="Another person").click()
        page.locator("#chips button").first.click()
        answered(page)
        address, shown = page.url.split("#")[1], pixels(page, "counterfactual")
    with opened(chromium, pages["faces"], "#" + address) as (page, seen):
        answered(page)
        assert pixels(page, "counterfactual") == shown and page.locator("#notice").inner_text() == ""
    with opened(chromium, pages["plain"], "#" + address) as (page, seen):
        assert "another run" in page.locator("#notice").inner_text()
        page.evaluate("say('')")
        page.evaluate("location.hash = '#run=other&seed=5'")
        page.locator("#notice", has_text="another run").wait_for()
        assert seen == []


BROKEN = ("#run=1&seed=x&given=a:b,Male:7&if=%E0%A4:1&stickiness=9&mode=z", "#%%%", "#if=Male")


@pytest.mark.parametrize("address", BROKEN)
def test_a_broken_link_opens_the_page(chromium, pages, address):
    with opened(chromium, pages["faces"], address) as (page, seen):
        page.get_by_label("What if: Bald").select_option("1")
        answered(page)
        assert seen == []


def test_what_cannot_be_is_said(chromium, pages):
    address = "#run=x&given=Young:1,Male:0&if=Young:0&mode=observe&stickiness=1"
    with opened(chromium, pages["faces"], address) as (page, _):
        page.locator("#changed", has_text="cannot be observed").wait_for()
        assert page.locator("#counterfactual").is_hidden()


@pytest.fixture
def photograph(page_runs, tmp_path):
    """A face that the run can draw, as a larger JPEG file, and its labels."""
    run = page_runs["faces"]
    labels = torch.tensor([[1, 1, 0, 0, 0, 1, 0, 1, 0]])
    image = run.generate(run.sample_noise(1, torch.Generator().manual_seed(4)), labels)[0]
    colours = (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    path = tmp_path / "<b>me.png"
    Image.fromarray(colours).resize((640, 640), Image.Resampling.NEAREST).save(path)
    return path, image, labels[0].tolist()


def test_a_photograph_is_asked_about(chromium, pages, photograph):
    path, image, labels = photograph
    with opened(chromium, pages["faces"]) as (page, seen):
        page.locator("#file").set_input_files(path)
        page.get_by_role("button", name="Ask about this person").click()
        page.locator("#labels-read select").first.wait_for()
        page.locator("#residual-choice").wait_for()
        read = page.locator("#labels-read select").evaluate_all("all => all.map(one => Number(one.value))")
        assert read == labels
        until(page, lambda: page.locator("#actual").get_attribute("aria-label").count("Mustache") == labels[4])
        shown = torch.tensor(pixels(page, "actual")).view(64, 64, 4)[..., :3].permute(2, 0, 1) / 255
        assert (shown - image).abs().max() < 2 / 255
        # Nothing asked, with the residual: the photograph itself; without, what the generator draws of it.
        null = "otherImage(state.person, state.person.noise, state.person.labels)"
        same = f"async () => (await {null}) === state.person.photograph"
        assert page.evaluate(same)
        page.get_by_label("Keep what the generator").uncheck()
        assert not page.evaluate(same)
        page.get_by_label("What if: Eyeglasses").select_option("1")
        assert "Eyeglasses no → yes" in answered(page)
        assert seen == []
        page.get_by_role("button", name="Another person").click()
        page.locator("#residual-choice").wait_for(state="hidden")


def test_what_is_still_being_read_does_not_replace_what_was_chosen_since(chromium, pages, photograph):
    path, _, _ = photograph
    use = 'document.getElementById("use").click();'
    with opened(chromium, pages["faces"]) as (page, _):
        page.locator("#file").set_input_files(path)
        page.locator("#use").wait_for()
        page.locator("#coordinates input").first.focus()
        until(page, lambda: page.locator("#sweep canvas").count() == 7)
        page.evaluate(use + 'document.getElementById("another").click()')
        assert page.locator("#sweep canvas").count() == 0 and page.locator("#sweep-title").inner_text() == ""
        page.wait_for_timeout(1500)
        assert page.evaluate("state.person.known") is None and page.locator("#labels-read select").count() == 0
        page.evaluate(use + "moveBy(9, 9)")
        page.wait_for_timeout(1500)
        assert page.evaluate("state.person.known") is None and page.locator("#labels-read select").count() == 0
        page.evaluate(use)
        page.locator("#residual-choice").wait_for()
        null = "answer().then(() => new Set(document.getElementById('difference').getContext('2d')"
        page.get_by_label("What if: Young").select_option("1")  # as it is: nothing changes
        page.get_by_label("Keep what the generator").uncheck()
        answered(page)
        assert page.evaluate(null + ".getImageData(0, 0, 64, 64).data).size)") == 2  # grey, and opaque


def test_what_a_sentence_says_of_a_photograph_must_agree_with_its_labels(chromium, pages, photograph):
    path, _, labels = photograph
    assert labels[1] == 1  # a man
    with opened(chromium, pages["faces"]) as (page, _):
        page.locator("#file").set_input_files(path)
        page.get_by_role("button", name="Ask about this person").click()
        page.locator("#residual-choice").wait_for()
        page.get_by_label("Your question").fill("Given a woman, what if she were old?")
        page.keyboard.press("Enter")
        assert page.locator("#understood.wrong").inner_text().startswith("Male is yes here")
        page.get_by_label("Your question").fill("Given a man, what if he were old?")
        page.keyboard.press("Enter")
        answered(page)
        assert "of this person" in page.locator("#exactness").inner_text()
        page.locator("#coordinates input").first.fill("0.9")  # another face, whose labels are still those
        page.locator("#residual-choice").wait_for(state="hidden")
        assert page.get_by_label("Given: Male").is_disabled()
        assert "of this person" in page.locator("#exactness").inner_text()
        page.get_by_role("button", name="Another person").click()
        page.locator("#exactness", has_text="all people").wait_for()
        assert page.get_by_label("Given: Male").is_enabled() and page.locator("#labels-read select").count() == 0


def test_labels_that_nobody_has_are_refused_and_another_crop_is_read_again(chromium, page_runs, photograph, tmp_path):
    path, _, _ = photograph
    run = page_runs["faces"]
    tables = {node: mechanism.table.clone() for node, mechanism in run.labels.mechanisms.items()}
    tables["Bald"][:, 0] = 0.0  # no bald woman
    scm = LabelSCM(run.graph, {node: TableMechanism(table) for node, table in tables.items()})
    page_file = write_page(replace(run, labels=scm), tmp_path / "page.html")
    with opened(chromium, page_file) as (page, _):
        page.locator("#file").set_input_files(path)
        page.get_by_role("button", name="Ask about this person").click()
        page.locator("#labels-read select").first.wait_for()
        page.locator("#labels-read select").nth(1).select_option("0")
        page.locator("#labels-read select").nth(3).select_option("1")
        page.locator("#photo-status", has_text="nobody has these labels").wait_for()
        page.locator("#crop").press("+")
        assert page.locator("#labels-read select").count() == 0


def test_nobody_is_shown_where_nobody_is_like_that(chromium, page_runs, tmp_path):
    run = page_runs["faces"]
    tables = {node: mechanism.table.clone() for node, mechanism in run.labels.mechanisms.items()}
    tables["Mustache"][:, 0] = 0.0
    scm = LabelSCM(run.graph, {node: TableMechanism(table) for node, table in tables.items()})
    with opened(chromium, write_page(replace(run, labels=scm), tmp_path / "page.html")) as (page, seen):
        page.get_by_label("Your question").fill("Given a woman with a moustache, what if she were a man?")
        page.keyboard.press("Enter")
        page.locator("#changed", has_text="nobody is like that").wait_for()
        assert "probability 0" in page.locator("#exactness").inner_text() and sum(pixels(page, "actual")) == 0
        page.locator("#coordinates input").first.fill("0.2")
        page.get_by_role("button", name="Reset the noise").click()
        page.get_by_label("Given: Male").select_option("1")
        until(page, lambda: sum(pixels(page, "actual")) > 0)
        assert seen == []


def test_the_noise_of_a_photograph_is_kept_or_redrawn_as_a_whole(faces):
    script = """(whole) => {
      const random = randomFrom(3), noise = Array.from({ length: 50 }, (_, i) => i / 50);
      const kept = () => otherNoise(noise, 0.5, 1, random, whole).filter((z, i) => z === noise[i]).length;
      return Array.from({ length: 200 }, kept);
    }"""
    together, apart = faces.evaluate(script, True), faces.evaluate(script, False)
    assert set(together) == {0, 50} and 60 < together.count(50) < 140
    assert min(apart) > 0 and max(apart) < 50


def test_the_sliders_go_as_far_as_noise_is_drawn(chromium, page_runs, tmp_path):
    run = page_runs["plain"]
    path = write_page(replace(run, recipe=replace(run.recipe, truncation=0.4)), tmp_path / "narrow.html")
    with opened(chromium, path) as (page, seen):
        slider = page.locator("#coordinates input").first
        assert (slider.get_attribute("min"), slider.get_attribute("max")) == ("-0.4", "0.4")
        assert page.evaluate("[position(0), position(STEPS - 1)]") == [-0.4, 0.4]
        assert page.evaluate("Math.max(...personOf(0, {}).noise.map(Math.abs))") <= 0.4
        assert seen == []


def test_noise_is_drawn_within_the_runs_truncation(faces):
    script = """(truncation) => {
      const random = randomFrom(3);
      return otherNoise(Array(500).fill(1), 0, truncation, random, false);
    }"""
    for truncation in (1, 0.4):
        drawn = faces.evaluate(script, truncation)
        assert kstest(drawn, "uniform", (-truncation, 2 * truncation)).pvalue > ALPHA
    assert kstest(drawn, "uniform", (-1, 2)).pvalue < ALPHA  # the control


def test_the_residual_is_kept_as_the_library_keeps_it(chromium, pages, page_runs, photograph):
    _, image, labels = photograph
    run = page_runs["faces"]
    worlds = run.abduct(image[None], torch.tensor([labels]))
    after = torch.tensor([labels])
    after[0, run.graph.nodes.index("Eyeglasses")] = 1
    ours = run._of_units(worlds, torch.tensor([0]), worlds.noise, after)[0]
    script = """async ([photograph, noise, labels, after]) => {
      const image = await generated(noise, labels), x = Float32Array.from(photograph);
      const person = { noise, labels, image, photograph: x, residual: x.map((value, p) => value - image[p]) };
      return Array.from(await otherImage(person, noise, after));
    }"""
    with opened(chromium, pages["faces"]) as (page, _):
        drawn = page.evaluate(script, [image.flatten().tolist(), worlds.noise[0].tolist(), labels, after[0].tolist()])
    assert (torch.tensor(drawn).view_as(ours) - ours).abs().max() < 1 / 255
    assert (ours - image).abs().max() > 0.1


def test_a_file_that_is_no_image_is_refused(chromium, pages, tmp_path):
    (tmp_path / "<i>x.png").write_text("no image")
    with opened(chromium, pages["faces"]) as (page, _):
        page.locator("#file").set_input_files(tmp_path / "<i>x.png")
        page.locator("#photo-status", has_text="<i>x.png is not an image").wait_for()


def test_pages_say_what_they_lack(chromium, pages):
    with opened(chromium, pages["dcgan"]) as (page, _):
        said = page.locator(".lacks").all_inner_texts()
        assert len(said) == 3 and "no labels" in said[0] and "photograph" in said[1] and "causalcf.eval" in said[2]
        assert page.get_by_role("button", name="Another person").is_visible() and page.locator("#network").is_hidden()
    with opened(chromium, pages["plain"]) as (page, _):
        assert "no encoder" in page.locator(".lacks").first.inner_text()


def test_verdicts_of_a_report_are_shown(chromium, page_runs, tmp_path):
    outcome = suite(nodes=("Male", "Young", "Bald"))
    run = replace(page_runs["faces"], folder=tmp_path / outcome["approaches"][0]["run"])
    for row in outcome["approaches"]:
        row["images"] = run.step * run.recipe.batch
    outcome["links"][0]["verdict"] = "not measured"  # a page knows no list of verdicts
    (tmp_path / "report.json").write_text(json.dumps(outcome))
    path = write_page(run, tmp_path / "page.html", tmp_path / "report.json")
    with opened(chromium, path) as (page, seen):
        verdict = page.locator("#trust button").first
        assert page.locator("#trust button", has_text="not measured").count() == 1
        assert verdict.inner_text() in (*VERDICTS, "not measured")
        verdict.click()
        assert re.search(r"Interval \[|verdict", page.locator("#trust p").inner_text())
        assert seen == []
    with pytest.raises(RunError, match=r"report\.json is of .* evaluate it again"):
        write_page(replace(run, step=run.step + 1), tmp_path / "page.html", tmp_path / "report.json")
    with pytest.raises(RunError, match=r"report\.json has no links of faces"):
        write_page(page_runs["faces"], tmp_path / "page.html", tmp_path / "report.json")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["faces", "dcgan", "hostile"])
def test_accessibility_rules_hold(chromium, pages, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with opened(chromium, pages[name], color_scheme=scheme, bypass_csp=True) as (page, _):
        if name != "dcgan":
            page.locator("#network select").nth(1).select_option("1")
            answered(page)
        found = Axe().run(page)
        assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
        assert len(found.response["passes"]) > 15


def test_all_controls_are_reached_by_keyboard(chromium, pages):
    with opened(chromium, pages["faces"]) as (page, _):
        controls = "[...document.querySelectorAll('button, select, input')]"
        total = page.evaluate(f"{controls}.filter(one => one.offsetParent && !one.disabled).length")
        reached = set()
        for _ in range(total + 20):
            page.keyboard.press("Tab")
            reached.add(page.evaluate(f"{controls}.indexOf(document.activeElement)"))
        assert len(reached - {-1}) == total > 40


def test_the_command_writes_a_page(page_runs, tmp_path, capsys):
    out = tmp_path / "page.html"
    main(["--run", "pretrained:faces", "--out", str(out)])
    assert capsys.readouterr().out == f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB); open it in a browser\n"
    assert out.stat().st_size < 8e6
    with pytest.raises(WriteError, match=r"page\.html"):
        write_page(load_run("pretrained:faces", "cpu"), tmp_path / "missing" / "page.html")
