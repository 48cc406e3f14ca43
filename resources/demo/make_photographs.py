"""Make the demo photographs, free of any licence condition, from a Debian package.

GCompris, a suite of educational software, shows photographs of animals, monuments,
tools and renewable energy. The Debian package gcompris-qt-data 3.1-2 (Debian 12,
``apt-get download gcompris-qt-data``) holds them as WebP inside Qt resource archives,
with a README in each folder that names author, licence and source of every file.

Only photographs that those READMEs declare public domain or CC0 are taken. Each is
converted to sRGB, reduced to a long side of 256 px and saved as JPEG in ``train/`` or
``validation/``, where no subject lies in both; ``sources.csv`` credits them all.
The same Pillow release gives the same bytes again.

    python make_photographs.py gcompris-qt-data_3.1-2_all.deb
"""

import argparse
import csv
import hashlib
import io
import re
import struct
import tarfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image, ImageCms

LONG_SIDE = 256
QUALITY = 85
VALIDATION_SHARE = 0.16
HASH_SIDE = 16
HASH_TOLERANCE = 4  # of 256 bits: copies differ by at most 1, other photographs by 13

LICENCES = {"public domain": "public domain", "cc0-1.0": "CC0-1.0"}

# Every folder with photographs, which is also the folder of their README.
KINDS = {
    "categorization/resource/images/fishes": "fishes",
    "categorization/resource/images/monuments": "monuments",
    "categorization/resource/images/renewable": "energy",
    "categorization/resource/images/tools": "tools",
    "erase/resource": "animals",
    "explore_farm_animals/resource/animals": "animals",
    "explore_monuments/resource": "monuments",
    "explore_world_animals/resource/animals": "animals",
}

DROPPED = {
    "tools/plier2": "posterised cut-out with lines of a frame left over",
    "tools/screwDriver3": "picture from a maker's catalogue that looks rendered",
}

# Subjects that the name of the file does not tell, from the README's source; equal
# ones mark photographs that must stay on one side of the split.
SUBJECTS = {
    "animals/dragon": "komodo dragon",
    "fishes/fish1": "gray angelfish",
    "fishes/fish2": "sand smelt",
    "fishes/fish3": "deepwater hap",
    "fishes/fish4": "yellow perch",
    "fishes/fish5": "swallowtail seaperch",
    "fishes/fish6": "discus",
    "fishes/fish7": "red mullet",
    "fishes/fish8": "atlantic salmon",
    "fishes/fish9": "clownfish",
    "fishes/fish10": "sea goldie",
    "fishes/fish11": "golden trout",
    "fishes/fish12": "axillary seabream",
    "fishes/fish13": "ocellated wrasse",
    "fishes/fish14": "swallowtail seaperch",
    "fishes/fish15": "brown wrasse",
    "fishes/fish16": "common pandora",
    "fishes/fish17": "hollowsnout grenadier",
    "fishes/fish18": "boarfish",
    "fishes/fish19": "red porgy",
    "fishes/fish20": "boxlip mullet",
    "fishes/fish21": "derbio",
    "fishes/fish22": "peacock wrasse",
    "fishes/fish23": "rainbow wrasse",
    "fishes/fish24": "rainbow wrasse",
    "fishes/fish25": "goldfish",
    "fishes/fish26": "sand smelt",
    "fishes/fish27": "greater weever",
    "fishes/fish28": "spotted puffer",
    "india/ajantaCave": "ajanta caves",
    "india/greatStupa": "great stupa of sanchi",
    "india/victoriaMemorial": "victoria memorial kolkata",
    "monuments/arcDeTriomphe": "arc de triomphe du carrousel",
    "monuments/bayterek": "bayterek tower",
    "monuments/burj": "burj khalifa",
    "monuments/cathedral": "santiago de compostela cathedral",
    "monuments/greatPyramid": "great pyramid of giza",
    "monuments/greatWall": "great wall of china",
    "monuments/kutubMinar": "qutub minar",
    "monuments/leMusee": "louvre",
    "monuments/monument1": "dome of the rock",
    "monuments/monument2": "aphrodisias tetrapylon",
    "monuments/monument3": "kaiser jubilee church vienna",
    "monuments/operaHouse": "sydney opera house",
    "monuments/victoriaMemorial": "victoria memorial london",
    "monuments/zimniPalace": "winter palace",
    "renewable/dam1": "amagase dam",
    "renewable/dam2": "bekes dam",
    "renewable/dam3": "iedigawa dam",
    "renewable/dam4": "don joaquin dam",
    "renewable/dam5": "caruachi dam",
    "renewable/geothermal": "geothermal plant",
    "renewable/solar1": "solar cooker",
    "renewable/solar2": "solar cooker",
    "renewable/solar3": "solar cooker",
    "renewable/solar4": "solar panel",
    "renewable/solar5": "solar panel",
    "renewable/solar6": "solar panel",
    "renewable/solar7": "solar panel",
    "renewable/solar8": "solar panel",
    "renewable/windmill": "chesterton windmill",
    "renewable/windmill1": "rhodes windmill",
    "renewable/windmill2": "bekonscot windmill",
    "renewable/windmill3": "mykonos windmills",
    "renewable/windmill4": "podgoschi windmill",
    "renewable/windmill5": "schillingstedt windmill",
    "renewable/windmill7": "nutley windmill",
    "renewable/windmill8": "portuguese windmill",
    "renewable/windmill9": "linda windmill",
    "renewable/windmill11": "dudutki windmill",
    "renewable/windmill12": "khokhlovka windmill",
    "renewable/windmill13": "kinderdijk windmill",
    "renewable/windmill14": "linda windmill",
    "renewable/windmill15": "altenbeichlingen windmill",
    "tools/cuttingTool": "side cutter",
    "tools/plier1": "pliers",
    "tools/plier3": "pliers",
    "tools/plier4": "pliers",
    "tools/screwDriver1": "screwdriver",
    "tools/screwDriver2": "screwdriver",
    "tools/sideCutter1": "side cutter",
    "tools/spray": "spray bottle",
    "tools/tweezer": "tweezers",
    "tools/tweezer1": "tweezers",
    "tools/wrench": "adjustable wrench",
    "tools/wrench1": "adjustable wrench",
    "usa/cabrillo": "cabrillo national monument",
    "usa/navajo": "betatakin cliff dwellings",
}


class Photograph(NamedTuple):
    """One photograph with its credit, as the package holds it."""

    kind: str
    subject: str
    path: str
    author: str
    licence: str
    source: str
    image: Image.Image


def read_archives(package: Path) -> dict[str, bytes]:
    """Qt resource archives of the photographs, by name, from a .deb or its folder."""
    wanted = {folder.split("/")[0] + ".rcc" for folder in KINDS}
    if package.is_dir():
        found = {p.name: p.read_bytes() for p in package.rglob("*.rcc")}
        return {name: found[name] for name in wanted}
    with tarfile.open(fileobj=io.BytesIO(deb_data(package.read_bytes()))) as tar:
        members = {PurePosixPath(m.name).name: m for m in tar if m.isfile()}
        return {name: tar.extractfile(members[name]).read() for name in wanted}


def deb_data(deb: bytes) -> bytes:
    """The data.tar member of a Debian package, which is an ar archive."""
    if not deb.startswith(b"!<arch>\n"):
        raise ValueError("not a Debian package")
    at = 8
    while at < len(deb):
        name, size = deb[at : at + 16], int(deb[at + 48 : at + 58])
        at += 60
        if name.startswith(b"data.tar"):
            return deb[at : at + size]
        at += size + size % 2
    raise ValueError("Debian package without data")


def read_rcc(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file in a Qt resource archive."""
    magic, version, tree, blobs, names = struct.unpack_from(">4s4I", data)
    if magic != b"qres":
        raise ValueError("not a Qt resource archive")
    node_size = 14 if version == 1 else 22

    def name(offset: int) -> str:
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(node: int, parent: PurePosixPath) -> Iterator[tuple[str, bytes]]:
        # Node: name, flags, then child count and first child, or locale and blob.
        label, flags, count, first = struct.unpack_from(
            ">IHII", data, tree + node * node_size
        )
        path = parent / name(label) if node else parent
        if flags & 2:
            for child in range(first, first + count):
                yield from walk(child, path)
            return
        start = blobs + first + 4
        (length,) = struct.unpack_from(">I", data, start - 4)
        blob = data[start : start + length]
        yield str(path), zlib.decompress(blob[4:]) if flags & 1 else blob

    return walk(0, PurePosixPath())


def read_credits(readme: str) -> Iterator[tuple[str, dict[str, str]]]:
    """File name and credit fields of each file that a README lists."""
    for block in re.split(r"\n\s*\n", readme):
        fields = defaultdict(list)
        field = ""
        for line in block.splitlines():
            start = re.match(r"(Copyright|License|Source|Comments|Files):(.*)", line)
            if start:
                field, line = start.groups()
            fields[field] += [line.strip()] if line.strip() else []
        credit = {key: " ".join(lines) for key, lines in fields.items()}
        for file in fields["Files"]:
            yield file, credit


def subject_of(path: PurePosixPath) -> str:
    """What a photograph shows, in lower-case words."""
    words = re.sub(r"(?<=[a-z])(of|des?|du)?(?=[A-Z])|_", r" \1 ", path.stem)
    default = " ".join(words.lower().rstrip("0123456789").split())
    return SUBJECTS.get(short_name(path), default)


def short_name(path: PurePosixPath) -> str:
    """Folder and stem, the key of the tables above."""
    return f"{path.parent.name}/{path.stem}"


def read_photographs(archives: dict[str, bytes]) -> list[Photograph]:
    """All photographs in the public domain or under CC0, without the dropped ones."""
    photographs, seen = [], set()
    for archive, data in archives.items():
        files = dict(read_rcc(data))
        for folder, kind in KINDS.items():
            root = PurePosixPath("gcompris/src/activities", folder)
            readme = files.get(str(root / "README"))
            if readme is None:
                continue
            for file, credit in read_credits(readme.decode()):
                path = root / file
                licence = LICENCES.get(credit["License"].lower())
                if path.suffix != ".webp" or licence is None or str(path) not in files:
                    continue
                seen.add(short_name(path))
                if short_name(path) in DROPPED:
                    continue
                image = as_srgb(Image.open(io.BytesIO(files[str(path)])))
                photographs.append(
                    Photograph(
                        kind,
                        subject_of(path),
                        f"{archive}:{path}",
                        credit["Copyright"],
                        licence,
                        credit["Source"],
                        image,
                    )
                )
    if missing := (SUBJECTS.keys() | DROPPED.keys()) - seen:
        raise ValueError(f"another release of the package? without {sorted(missing)}")
    return sorted(photographs, key=lambda p: (p.kind, p.subject, p.path))


def as_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB, which a file without a colour profile is taken to be in."""
    profile = image.info.get("icc_profile")
    image = image.convert("RGB")
    if not profile:
        return image
    return ImageCms.profileToProfile(
        image, io.BytesIO(profile), ImageCms.createProfile("sRGB")
    )


def average_hash(image: Image.Image) -> int:
    """Bits that tell which cells of a coarse grid are brighter than its mean."""
    grid = image.convert("L").resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX)
    cells = grid.tobytes()
    return int("".join(str(int(c * len(cells) > sum(cells))) for c in cells), 2)


def without_copies(photographs: list[Photograph]) -> list[Photograph]:
    """The photographs with the largest of each set of copies only, in given order."""
    hashes, kept = [], set()
    for photo in sorted(photographs, key=lambda p: -p.image.width * p.image.height):
        bits = average_hash(photo.image)
        if all((bits ^ other).bit_count() > HASH_TOLERANCE for other in hashes):
            hashes.append(bits)
            kept.add(photo.path)
    return [photo for photo in photographs if photo.path in kept]


def validation_subjects(photographs: list[Photograph]) -> set[tuple[str, str]]:
    """Kinds and subjects set apart for validation, the same share of every kind."""
    chosen = set()
    sizes = Counter((p.kind, p.subject) for p in photographs)
    for kind, total in Counter(p.kind for p in photographs).items():
        left = round(VALIDATION_SHARE * total)
        groups = [group for group in sizes if group[0] == kind]
        # A digest shuffles alike everywhere, without a generator's state.
        groups.sort(key=lambda g: hashlib.sha256(g[1].encode()).digest())
        for group in groups:
            if sizes[group] <= left:
                chosen.add(group)
                left -= sizes[group]
    return chosen


def reduced(image: Image.Image) -> Image.Image:
    """The image with its long side reduced to LONG_SIDE."""
    scale = min(1, LONG_SIDE / max(image.size))
    size = tuple(round(scale * side) for side in image.size)
    return image.resize(size, Image.Resampling.LANCZOS)


def write_photographs(photographs: list[Photograph], out: Path) -> list[dict[str, str]]:
    """Write the JPEG files and sources.csv below a folder; return the rows of it."""
    chosen = validation_subjects(photographs)
    sizes = Counter((p.kind, p.subject) for p in photographs)
    number = Counter()
    rows = []
    for split in ("train", "validation"):
        (out / split).mkdir(parents=True, exist_ok=True)
        for stale in (out / split).glob("*.jpg"):
            stale.unlink()
    for photo in photographs:
        group = photo.kind, photo.subject
        number[group] += 1
        name = "-".join((photo.kind, *photo.subject.split()))
        if sizes[group] > 1:
            name += f"-{number[group]}"
        split = "validation" if group in chosen else "train"
        file = f"{split}/{name}.jpg"
        reduced(photo.image).save(
            out / file,
            quality=QUALITY,
            subsampling="4:2:0",
            optimize=True,
            progressive=True,
        )
        rows.append(
            {
                "file": file,
                "subject": photo.subject,
                "author": photo.author,
                "licence": photo.licence,
                "source": photo.source,
                "package_path": photo.path,
                "split": split,
            }
        )
    with (out / "sources.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return rows


def main() -> None:
    """Make the photographs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("package", type=Path, help=".deb file or unpacked folder")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent / "photographs",
        help="folder to write to",
    )
    args = parser.parse_args()
    photographs = without_copies(read_photographs(read_archives(args.package)))
    rows = write_photographs(photographs, args.out)
    counts = Counter(row["split"] for row in rows)
    size = sum((args.out / row["file"]).stat().st_size for row in rows)
    print(
        f"{counts['train']} + {counts['validation']} photographs, {size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
