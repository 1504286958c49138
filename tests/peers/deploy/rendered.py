"""The templates of deploy/ in CloudFormation, after the transform of AWS SAM and with their parameters filled in.

Sources: AWS CloudFormation User Guide, "Intrinsic function reference", "Pseudo parameters reference".
"""

import os
import pathlib
import re
import sys

try:
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"
ABSENT = object()
REGION, ACCOUNT = "us-east-1", os.environ["ACCOUNT"]
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "seskey",
    "AWS::NoValue": ABSENT,
}


def transformed(path):
    """The template as CloudFormation is given it; code and definitions are in a bucket, as `sam deploy` puts them."""
    template = yaml_parse((DEPLOY / path).read_text())
    for resource in template["Resources"].values():
        for name in {"CodeUri", "DefinitionUri"} & resource["Properties"].keys():
            resource["Properties"][name] = f"s3://bucket/{resource['Properties'][name]}"
    return transform(template, {}, None) if "Transform" in template else template


def resources(path, **parameters):
    """The resources that are made with these parameters."""
    template = transformed(path)
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    unknown = parameters.keys() - defaults.keys()
    assert not unknown, unknown
    resolve = Resolver(template, PSEUDO | defaults | parameters)
    made = template["Resources"].items()
    return {name: resolve(resource) for name, resource in made if resolve.holds(resource.get("Condition"))}


def policies(path, role="Role", **parameters):
    """The statements of each policy of a role, by the names of the policies."""
    of_role = resources(path, **parameters)[role]["Properties"]["Policies"]
    return {policy["PolicyName"]: policy["PolicyDocument"]["Statement"] for policy in of_role}


class Resolver:
    def __init__(self, template, values):
        self.conditions, self.values = template.get("Conditions", {}), values

    def holds(self, condition):
        return condition is None or self(self.conditions[condition])

    def __call__(self, value):
        if isinstance(value, list):
            return [item for item in map(self, value) if item is not ABSENT]
        if not isinstance(value, dict):
            return value
        [(name, of), *others] = value.items() or [("", None)]
        function = None if others else FUNCTIONS.get(name)
        if function:
            return function(self, of)
        items = ((name, self(item)) for name, item in value.items())
        return {name: item for name, item in items if item is not ABSENT}

    def sub(self, of):
        text, own = of if isinstance(of, list) else (of, {})
        value = lambda match: str(self(own[match[1]]) if match[1] in own else self.values.get(match[1], match[1]))
        return re.sub(r"\$\{([\w:.]+)\}", value, text)


FUNCTIONS = {
    "Ref": lambda resolve, name: resolve.values.get(name, name),
    "Condition": Resolver.holds,
    "Fn::Sub": Resolver.sub,
    # no resource is made, so that any ARN stands for its attribute
    "Fn::GetAtt": lambda _, of: f"arn:aws:made:{REGION}:{ACCOUNT}:{of[0]}",
    "Fn::Select": lambda resolve, of: resolve(of[1])[of[0]],
    "Fn::Split": lambda resolve, of: resolve(of[1]).split(of[0]),
    "Fn::Equals": lambda resolve, of: resolve(of[0]) == resolve(of[1]),
    "Fn::Not": lambda resolve, of: not resolve(of[0]),
    "Fn::If": lambda resolve, of: resolve(of[1] if resolve.holds(of[0]) else of[2]),
}
