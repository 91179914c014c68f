"""One round trip with the client generated from openapi.json: create, read, change, list, delete, gone. Arguments: address, key."""

import sys

from mandate_client import AuthenticatedClient
from mandate_client.api.entities import create_entity, delete_entity, find_entity, list_entities, patch_entity
from mandate_client.models import Entity, EntityKind, EntityPatch, Problem, TextInputType1

address, key = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=key)

name = TextInputType1.from_dict({"en": "Agency of the generated client"})
made = create_entity.sync_detailed(client=client, body=Entity(name=name, kind=EntityKind.AGENCY, external_id="ci-client"))
assert made.status_code == 201 and made.headers["etag"] == '"1"', made

found = find_entity.sync("external:ci-client", client=client)
assert found == made.parsed and found.name.to_dict() == name.to_dict() and found.kind is EntityKind.AGENCY, found

change = EntityPatch.from_dict({"code": "CI", "description": {"en": "Changed"}, "country": None})
stale = patch_entity.sync(str(found.id), client=client, body=change, if_match='"7"')
assert isinstance(stale, Problem) and stale.status == 412 and stale.current["version"] == 1, stale
changed = patch_entity.sync(str(found.id), client=client, body=change, if_match=made.headers["etag"])
assert (changed.version, changed.code) == (2, "CI"), changed

page = list_entities.sync(client=client, code=["CI"], kind=[EntityKind.AGENCY, EntityKind.MINISTRY], count=True)
assert page.items == [changed] and page.count == 1 and page.next_ is None, page

gone = delete_entity.sync_detailed(str(found.id), client=client, if_match='"2"', mandate_reason="a round trip")
assert gone.status_code == 204, gone
after = find_entity.sync(str(found.id), client=client)
assert isinstance(after, Problem) and after.status == 410 and after.history.endswith(f"/{found.id}/history"), after
