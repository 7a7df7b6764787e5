"""Writes python.tsv: expressions, their arguments and what Python makes of them. Run it as: python3 oracle.py > python.tsv"""

import json
import math
import random

random.seed(7)

FUNCTIONS = {
    "D": lambda real, ref: abs(ref - real),
    "d": lambda real, ref: abs(FUNCTIONS["D"](real, ref) / real),
    "ked": lambda real, ref: 0 if real < 20 else FUNCTIONS["d"](real, ref),
    "negz": lambda x: 0 if x < 0 else x,
    "min": min, "max": max, "int": int, "float": float, "str": str, "bool": bool,
}


def number(depth, args):
    pick = random.randrange(24 if depth > 0 else 6)
    sub = lambda: number(depth - 1, args)
    if pick < 3:
        return "v%d" % random.randrange(args)
    if pick == 3:
        return random.choice(["0", "1", "2", "3", "7", "10", "0x1F", "1_000", "65535", "0b11", "0o17"])
    if pick == 4:
        return random.choice(["0.5", "1.5", ".25", "3.", "1e3", "2.5e-3", "1_0.5", "0.1"])
    if pick == 5:
        return random.choice(["True", "False", "9007199254740993", "9223372036854775807", "18446744073709551616", "v9", "None"])
    if pick < 9:
        return "%s%s%s" % (sub(), random.choice(["+", "-", "*", " + ", "- "]), sub())
    if pick < 11:
        return "%s%s%s" % (sub(), random.choice(["/", "//", "%"]), sub())
    if pick == 11:
        return "%s**%s" % (sub(), random.choice(["0", "1", "2", "3", "-1", "-2", "True"]))
    if pick == 12:
        return "%s%s%s" % (sub(), random.choice(["<<", ">>"]), random.choice(["0", "1", "8", "16", "40", "-1", "99"]))
    if pick == 13:
        return "%s%s%s" % (sub(), random.choice(["&", "|", "^"]), sub())
    if pick == 14:
        return "%s%s" % (random.choice(["-", "+", "~", "not ", "- -"]), sub())
    if pick == 15:
        return "(%s)" % sub()
    if pick == 16:
        return "%s %s %s" % (sub(), random.choice(["<", "<=", ">", ">=", "==", "!="]), sub())
    if pick == 17:
        return "%s<%s<=%s" % (sub(), sub(), sub())
    if pick == 18:
        return "%s %s %s" % (sub(), random.choice(["and", "or"]), sub())
    if pick == 19:
        return "%s if %s else %s" % (sub(), sub(), sub())
    if pick == 20:
        return "%s(%s,%s)" % (random.choice(["min", "max", "D", "d", "ked"]), sub(), sub())
    if pick == 21:
        return "%s(%s)" % (random.choice(["int", "float", "bool", "negz"]), sub())
    if pick == 22:
        return "%s(%s)" % (random.choice(["int", "float"]), text(depth - 1, args))
    return "((%s)%s(%s))" % (text(depth - 1, args), random.choice(["<", "==", "!=", ">="]), text(depth - 1, args))


def text(depth, args):
    pick = random.randrange(5 if depth > 0 else 2)
    if pick == 0:
        return random.choice(["'abc'", '"7"', "'-3.5'", "''", "' 12 '", "'1e5'", "'it\\'s'", "'x'"])
    if pick in (1, 2):
        return "str(%s)" % number(depth - 1, args)
    if pick == 3:
        return "%s+%s" % (text(depth - 1, args), text(depth - 1, args))
    return "(%s if %s else %s)" % (text(depth - 1, args), number(depth - 1, args), text(depth - 1, args))


def argument():
    return random.choice([
        lambda: random.randrange(0, 65536), lambda: random.randrange(-32768, 32768), lambda: random.choice([0, 1, -1]),
        lambda: random.choice([True, False]), lambda: random.randrange(-1000, 1000) / 8, lambda: random.uniform(-1e3, 1e3),
        lambda: random.choice([9223372036854775807, -9223372036854775808, 4294967296]),
        lambda: random.choice([0.0, -0.0, 1e300, -1e-300]),
    ])()


def result(code, args):
    names = dict(FUNCTIONS)
    for i, a in enumerate(args):
        names["v%d" % i] = a
    try:
        v = eval(code, {"__builtins__": {}}, names)
    except SyntaxError:
        return "syntax"
    except (ArithmeticError, TypeError, ValueError, NameError):
        return "error"
    if v is None or isinstance(v, complex):
        return "error"
    if isinstance(v, bool):
        return "b:%d" % v
    if isinstance(v, int):
        return "i:%d" % v
    if isinstance(v, float):
        return "nan" if math.isnan(v) else "f:" + v.hex()
    return "s:" + json.dumps(v)


import warnings

warnings.simplefilter("ignore")
for _ in range(5000):
    args = [argument() for _ in range(3)]
    depth = random.randrange(1, 6)
    code = number(depth, 3) if random.randrange(8) else text(depth, 3)
    print("%s\t%s\t%s" % (code, json.dumps([repr(a) for a in args]), result(code, args)))
