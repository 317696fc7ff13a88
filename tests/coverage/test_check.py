"""The comparison must see every kind of difference. Needs nothing but Python: unittest, no models."""

import copy
import unittest

from check import compare

MODEL = {
    "kinesisvideo": {
        "operations": {
            "MakeThing": {
                "http": {"method": "POST", "requestUri": "/makeThing"},
                "input": {"shape": "In"},
                "output": {"shape": "Out"},
                "errors": [{"shape": "Bad"}],
            },
            "LaterThing": {
                "http": {"method": "POST", "requestUri": "/laterThing"},
                "input": {"shape": "In"},
            },
        },
        "shapes": {
            "In": {
                "type": "structure",
                "required": ["Name"],
                "members": {
                    "Name": {"shape": "Name"},
                    "Hours": {"shape": "Hours"},
                    "Kind": {"shape": "Kind"},
                    "List": {"shape": "List"},
                    "Map": {"shape": "Map"},
                },
            },
            "Out": {"type": "structure", "members": {"Id": {"shape": "Name"}}},
            "Name": {"type": "string", "min": 1, "max": 9, "pattern": "[a-z]+"},
            "Hours": {"type": "long", "min": 0},
            "Kind": {"type": "string", "enum": ["A", "B"]},
            "List": {"type": "list", "member": {"shape": "Inner"}, "max": 5},
            "Inner": {"type": "structure", "members": {"At": {"shape": "Time"}}},
            "Time": {"type": "timestamp"},
            "Map": {
                "type": "map", "min": 1, "max": 5,
                "key": {"shape": "Name"}, "value": {"shape": "Name"},
            },
            "Bad": {"type": "structure", "error": {"httpStatusCode": 400}},
        },
    }
}

NAME = {"type": "string", "min": 1, "max": 9, "pattern": "[a-z]+", "fault": "Bad"}
TIME = {"type": "timestamp", "required": False}
DESCRIPTION = {
    "operations": {
        "MakeThing": {
            "service": "kinesisvideo", "method": "POST", "path": "/makeThing",
            "state": "implemented", "errors": {"Bad": 400}, "output": ["Id"],
            "input": {
                "type": "structure",
                "members": {
                    "Name": {**NAME, "required": True},
                    "Hours": {
                        "type": "integer", "min": 0, "max": 7, "narrowed": "a week",
                        "required": False,
                    },
                    "Kind": {"type": "string", "enum": ["A", "B"], "required": False},
                    "List": {
                        "type": "list", "min": 0, "max": 5, "required": False,
                        "member": {"type": "structure", "members": {"At": TIME}},
                    },
                    "Map": {
                        "type": "map", "min": 1, "max": 5, "key": NAME, "value": NAME,
                        "required": False,
                    },
                },
            },
        },
        "LaterThing": {
            "service": "kinesisvideo", "method": "POST", "path": "/laterThing",
            "state": "later", "errors": {},
        },
    }
}


class Comparison(unittest.TestCase):
    def faults(self, change=None):
        model, description = copy.deepcopy(MODEL), copy.deepcopy(DESCRIPTION)
        if change:
            change(model["kinesisvideo"], description["operations"])
        return compare(model, description)

    def test_agreement(self):
        self.assertEqual(self.faults(), [])

    def test_operations_of_our_own_are_in_no_model(self):
        def add(model, operations):
            operations["Own"] = operations["LaterThing"] | {"service": "streamkeep"}

        self.assertEqual(self.faults(add), [])

    def test_a_lower_bound_may_be_narrowed_with_a_reason(self):
        def narrow(model, operations):
            model["shapes"]["Hours"].pop("min")
            operations["MakeThing"]["input"]["members"]["Hours"]["min"] = 2

        self.assertEqual(self.faults(narrow), [])

    def test_every_difference_is_seen(self):
        def members(operations):
            return operations["MakeThing"]["input"]["members"]

        changes = {
            "an operation is missing": lambda m, o: o.pop("LaterThing"),
            "an operation is invented": lambda m, o: o.update(Other=o["LaterThing"]),
            "a path differs": lambda m, o: o["LaterThing"].update(path="/LaterThing"),
            "a service differs": lambda m, o: o["LaterThing"].update(service="x"),
            "an error is missing": lambda m, o: o["MakeThing"].update(errors={}),
            "an error is invented": lambda m, o: o["LaterThing"].update(errors={"Bad": 400}),
            "a status differs": lambda m, o: o["MakeThing"].update(errors={"Bad": 404}),
            "an output is missing": lambda m, o: o["MakeThing"].update(output=[]),
            "a member is missing": lambda m, o: members(o).pop("Kind"),
            "a member is invented": lambda m, o: members(o).update(Other=NAME | {"required": False}),
            "required differs": lambda m, o: members(o)["Kind"].update(required=True),
            "not required": lambda m, o: members(o)["Name"].update(required=False),
            "a type differs": lambda m, o: members(o)["Name"].update(type="integer"),
            "min differs": lambda m, o: members(o)["Name"].update(min=0),
            "max differs": lambda m, o: members(o)["Name"].update(max=8),
            "a pattern differs": lambda m, o: members(o)["Name"].update(pattern="[a-z]*"),
            "an enum grew": lambda m, o: m["shapes"]["Kind"]["enum"].append("C"),
            "a range without reason": lambda m, o: members(o)["Hours"].pop("narrowed"),
            "a range wider than the model": lambda m, o: m["shapes"]["Hours"].update(max=6),
            "a lower bound is missing": lambda m, o: m["shapes"]["Map"].pop("min"),
            "a number's lower bound is missing": lambda m, o: m["shapes"]["Hours"].pop("min"),
            "a lower bound wider than the model": lambda m, o: m["shapes"]["Hours"].update(min=1),
            "a lower bound without reason": lambda m, o: members(o)["List"].update(min=1),
            "inside a list": lambda m, o: members(o)["List"]["member"]["members"].pop("At"),
            "the length of a list": lambda m, o: members(o)["List"].update(min=1),
            "a map's key": lambda m, o: members(o)["Map"].update(key=NAME | {"max": 8}),
            "a map's value": lambda m, o: members(o)["Map"].update(value=NAME | {"max": 8}),
            "an operation of our own in a model": lambda m, o: o["LaterThing"].update(
                service="streamkeep"
            ),
            "the model has PutMedia": lambda m, o: (
                m["operations"].update(PutMedia=m["operations"]["LaterThing"]),
                o.update(PutMedia=o["LaterThing"]),
            ),
        }
        for name, change in changes.items():
            with self.subTest(name):
                self.assertEqual(len(self.faults(change)), 1)


if __name__ == "__main__":
    unittest.main()
