"""What schemathesis cannot know from the document.

No check is switched off here, no failure is dropped, and requests that are meant to be refused are left as they are. Requests
that are meant to be accepted are helped where OpenAPI has no words for a rule:

* a cursor is opaque: only one that the server gave out is good, with the filters it was made for, and not with a page;
* a span of time does not end before it begins;
* a time zone is one that exists;
* waiting for events that nobody causes takes as long as is asked for;
* the most common passwords are refused, and no pattern names them;
* an id is one of ours, while schemathesis takes the end of any path that it sees for one (`instance` of a problem);
* only credentials that exist open the door, and only refresh tokens that were given out keep it open;
* the runs do not take away their own accounts: somebody else's, or nobody's, is changed instead.
"""

import os
import random
import uuid

import schemathesis

CREDENTIALS = {"email": os.environ["TECHSUPPORT_EMAIL"], "password": os.environ["TECHSUPPORT_PASSWORD"]}
PEOPLE = os.environ["TECHSUPPORT_USER_IDS"].split(",")
NOBODY = uuid.UUID(int=0)

# Cursors the server gave out, by the path and the filters they belong to.
cursors = {}
# Refresh tokens the server gave out.
refresh_tokens = []
ZONES = ["UTC", "Europe/Madrid", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"]
# Of several choices each is made, and the same ones when the seed is the same.
chance = random.Random(1)


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def filters(query):
    return tuple(sorted((name, str(value)) for name, value in query.items() if name not in ("cursor", "page", "pageSize")))


def mend_query(case):
    query = case.query
    if "cursor" in query:
        query["cursor"] = cursors.get((case.formatted_path, filters(query)), "")
        query.pop("page", None)
    if "after" in query:
        query["after"] = cursors.get((case.formatted_path, ()), "")
    if "timeZone" in query:
        query["timeZone"] = chance.choice(ZONES)
    if "wait" in query:
        query["wait"] = 1
    if "from" in query and "to" in query and str(query["from"]) > str(query["to"]):
        query["from"], query["to"] = query["to"], query["from"]


def mend_id(case):
    """`bulk` and `replay` are names of routes, of which the rules of `{id}` say nothing."""
    if (case.path_parameters or {}).get("id") in ("bulk", "replay"):
        case.path_parameters["id"] = "no-route"
    if not is_positive(case):
        return
    try:
        uuid.UUID((case.path_parameters or {}).get("id", str(NOBODY)))
    except ValueError:
        case.path_parameters["id"] = str(NOBODY)


def uncommon(password):
    return "Zq7#" + password if len(password) < 20 and password.isascii() else password


@schemathesis.hook
def before_call(context, case, **kwargs):
    operation = case.operation.definition.raw.get("operationId")
    if operation == "changeUser" and case.path_parameters and str(case.path_parameters.get("id")).lower() in PEOPLE:
        case.path_parameters["id"] = str(NOBODY)
    mend_id(case)
    if not is_positive(case):
        return
    if isinstance(case.query, dict):
        mend_query(case)
    if isinstance(case.body, dict):
        for name in ("password", "newPassword"):
            if operation in ("registerUser", "changePassword") and isinstance(case.body.get(name), str):
                case.body[name] = uncommon(case.body[name])
    if operation == "login" and chance.random() < 0.5:
        case.body = dict(CREDENTIALS)
    if operation in ("refreshTokens", "logout") and refresh_tokens and chance.random() < 0.5:
        case.body = {"refreshToken": refresh_tokens.pop()}
    if operation == "changePassword" and chance.random() < 0.5:
        case.body = {"currentPassword": CREDENTIALS["password"], "newPassword": CREDENTIALS["password"]}


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code != 200:
        return
    try:
        answer = response.json()
    except ValueError:
        return
    if not isinstance(answer, dict):
        return
    if "refreshToken" in answer:
        refresh_tokens.append(answer["refreshToken"])
    if isinstance(case.query, dict):
        following = answer.get("nextCursor")
        if following:
            key = () if "after" in case.query else filters(case.query)
            cursors[(case.formatted_path, key)] = following
