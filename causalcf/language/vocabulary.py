"""The 40 attributes of CelebA, and the English phrases for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# In the order of the columns of list_attr_celeba.txt (Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the
# Wild, ICCV 2015).
CELEBA_ATTRIBUTES: tuple[str, ...] = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)

# Attribute -> (phrases for 1, phrases for 0), beside the attribute's own name. Only words that settle the value:
# "he" refers to a person already described, and "mouth" says nothing of whether it is open.
_PHRASES: dict[str, tuple[str, str]] = {
    "5_o_Clock_Shadow": ("five o clock shadow, stubble, stubbly", ""),
    "Arched_Eyebrows": ("arched brows", ""),
    "Attractive": ("beautiful, good looking, handsome, pretty", "ugly, unattractive"),
    "Bags_Under_Eyes": (
        "bags under his eyes, bags under her eyes, bags under their eyes, bags under the eyes, eye bags",
        "",
    ),
    "Bald": ("baldheaded, bald headed, hairless", ""),
    "Bangs": ("fringe", ""),
    "Big_Lips": ("full lips, large lips", "small lips, thin lips"),
    "Big_Nose": ("large nose", "small nose"),
    "Black_Hair": ("black haired", ""),
    "Blond_Hair": ("blond, blonde, blonde hair, blond haired, blonde haired, fair haired", ""),
    "Blurry": ("blurred, out of focus", "in focus"),
    "Brown_Hair": ("brown haired, brunette", ""),
    "Bushy_Eyebrows": ("bushy brows, thick eyebrows", "thin eyebrows"),
    "Chubby": ("fat, overweight, plump", ""),
    "Eyeglasses": ("eye glasses, bespectacled, glasses, spectacles, wearing glasses, wears glasses", ""),
    "Goatee": ("goateed", ""),
    "Gray_Hair": ("gray haired, grey hair, grey haired", ""),
    "Heavy_Makeup": ("heavy make up, make up, makeup", ""),
    "High_Cheekbones": ("high cheek bones", ""),
    "Male": (
        "boy, boys, gentleman, gentlemen, guy, guys, lad, lads, males, man, men, masculine",
        "female, females, feminine, girl, girls, ladies, lady, woman, women",
    ),
    "Mouth_Slightly_Open": (
        "mouth open, mouth opened, mouth is open, open mouth, opened mouth, open mouthed, parted lips, "
        "slightly open mouth, slightly opened mouth",
        "closed mouth, mouth closed, mouth is closed, mouth is shut, mouth shut, shut mouth",
    ),
    "Mustache": ("moustache, moustached, moustaches, mustached, mustaches, mustachioed, moustachioed", ""),
    "Narrow_Eyes": ("narrow eyed, narrowed eyes, squint, squinting", "wide eyed, wide eyes, wide open eyes"),
    "No_Beard": ("beardless, clean shaven", "beard, bearded, beards"),
    "Oval_Face": ("oval faced", ""),
    "Pale_Skin": ("pale, pale skinned", ""),
    "Pointy_Nose": ("pointed nose", ""),
    "Receding_Hairline": ("receding hair, receding hair line", ""),
    "Rosy_Cheeks": ("blushing, red cheeks, rosy cheeked", ""),
    "Sideburns": ("side burns, sideboards", ""),
    "Smiling": ("grin, grinned, grinning, grins, smile, smiled, smiles", "unsmiling"),
    "Straight_Hair": ("straight haired", ""),
    "Wavy_Hair": ("wavy haired", ""),
    "Wearing_Earrings": ("earring, earrings", ""),
    "Wearing_Hat": ("cap, hat, wearing a hat, wears a hat", ""),
    "Wearing_Lipstick": ("lipstick, lip stick, wears lipstick", ""),
    "Wearing_Necklace": ("necklace, wearing a necklace, wears a necklace", ""),
    "Wearing_Necktie": ("necktie, neck tie, tie, wearing a necktie, wearing a tie, wears a tie", ""),
    "Young": ("youthful, younger", "aged, elderly, old, older"),
}


def _words() -> dict[str, tuple[str, int]]:
    words = {attribute.lower().replace("_", " "): (attribute, 1) for attribute in CELEBA_ATTRIBUTES}
    for attribute, said in _PHRASES.items():
        for value, phrases in ((1, said[0]), (0, said[1])):
            words.update({phrase: (attribute, value) for phrase in phrases.split(", ") if phrase})
    return words


# Phrase -> (attribute, value). Phrases are in lower case, their words parted by single spaces, without hyphens or
# apostrophes; where one phrase holds another ("no beard" and "beard"), the longer is meant.
WORDS: Mapping[str, tuple[str, int]] = MappingProxyType(_words())
