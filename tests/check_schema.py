"""check_schema.py SCHEMA FILE...: each file meets the schema, and a damaged copy of each does not."""
import copy
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
failed = 0
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for error in validator.iter_errors(report):
        print(f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        failed = 1
    liar = copy.deepcopy(report)
    liar["summary"]["level_required"] = "perfect"
    if validator.is_valid(liar):
        print(f"{path}: the schema accepts a level that does not exist")
        failed = 1
sys.exit(failed)
