"""The first requests of clients: addresses of the data centres, configuration of the apps."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from tobs.sandbox.options import CDN_DC
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds.tl import to_date


@serves(functions.help.GetConfigRequest, login=False, any_dc=True)
def get_config(call: Call, request: Any) -> Any:
    """Return the configuration with the port of each data centre."""
    now = call.clock()
    return types.Config(
        date=to_date(now),
        expires=to_date(now + 3600),
        test_mode=False,
        this_dc=call.dc,
        dc_options=[
            types.DcOption(dc, "127.0.0.1", port, cdn=dc == CDN_DC or None)
            for dc, port in sorted(call.context.ports.items())
        ],
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2_147_483_647,
        revoke_pm_time_limit=2_147_483_647,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1_024,
        message_length_max=4_096,
        webfile_dc_id=call.dc,
    )


@serves(functions.help.GetNearestDcRequest, login=False, any_dc=True)
def get_nearest_dc(call: Call, request: Any) -> Any:
    return types.NearestDc("XX", call.dc, min(call.context.ports))


@serves(functions.help.GetAppConfigRequest, login=False, any_dc=True)
def get_app_config(call: Call, request: Any) -> Any:
    return types.help.AppConfig(0, types.JsonObject([]))


@serves(functions.help.GetCdnConfigRequest, login=False, any_dc=True)
def get_cdn_config(call: Call, request: Any) -> Any:
    if not call.options.cdn:
        return types.CdnConfig([])
    return types.CdnConfig([types.CdnPublicKey(CDN_DC, call.context.keys[CDN_DC].pem)])
