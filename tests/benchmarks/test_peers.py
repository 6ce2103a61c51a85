"""Peers and scenarios fit together: a name that nobody knows would silently measure nothing."""

from benchmarks.driver.peer import APPS, discover
from benchmarks.scenarios import SCENARIOS

from benchmarks import targets


def test_every_peer_is_found_under_its_file_name():
    assert {"fastapi_uvicorn", "asgi_uvicorn", "asgi_granian", "nginx"} <= set(discover())


def test_peers_name_known_scenarios_and_existing_apps():
    for peer in discover().values():
        assert peer.scenarios <= set(SCENARIOS), peer.name
        for app in filter(None, (peer.app, peer.minimal)):
            assert (APPS / f"{app}.py").is_file(), peer.name


def test_every_target_has_a_title_of_its_own():
    titles = [target.title for target in targets.TARGETS]
    assert len(titles) == len(set(titles))
