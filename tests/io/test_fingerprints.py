"""Digests tell apart what differs, and nothing else."""

import hashlib

from causalcf.io.files import of_code, of_file


def test_of_code_knows_the_text_the_names_and_the_places_of_files(tmp_path):
    def package(name, **files):
        for file, text in files.items():
            place = tmp_path / name / (file.replace("_", "/") + ".py")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return of_code(tmp_path / name)

    first = package("first", a="x = 1", b_c="y = 2")
    assert package("same", b_c="y = 2", a="x = 1") == first
    (tmp_path / "first" / "notes.txt").write_text("no code")
    assert of_code(tmp_path / "first") == first
    others = [
        {"a": "x = 2", "b_c": "y = 2"},
        {"a": "x = 1", "b_d": "y = 2"},
        {"a": "x = 1", "c": "y = 2"},
        {"a": "x = 1"},
    ]
    digests = [package(f"other{i}", **files) for i, files in enumerate(others)]
    assert len({first, *digests}) == 5


def test_of_file_is_how_sha256_begins(tmp_path):
    (tmp_path / "x").write_bytes(b"face")
    assert of_file(tmp_path / "x") == hashlib.sha256(b"face").hexdigest()[:16]
