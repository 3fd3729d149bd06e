"""Two-step verification: the server's side of SRP-6a.

Source: core.telegram.org/api/srp. Like a real server, the sandbox checks passwords with a verifier only.
"""

from __future__ import annotations

import hmac
import os
import secrets
from hashlib import sha256
from typing import Any, Final

from telethon.password import compute_digest
from telethon.tl import functions, types

from tobs.sandbox.crypto.handshake import DH_PRIME
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.state import Challenge, Verifier
from tobs.sandbox.worlds import RpcError

_G: Final = 3
_SIZE: Final = 256  # bytes of a number modulo the prime


def make_verifier(password: str) -> Verifier:
    """Make a verifier of ``password`` with new salts."""
    algo = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1=os.urandom(40), salt2=os.urandom(16), g=_G, p=_bytes(DH_PRIME)
    )
    return Verifier(algo, int.from_bytes(compute_digest(algo, password), "big"))


def _bytes(number: int) -> bytes:
    return number.to_bytes(_SIZE, "big")


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "big")


_K: Final = _number(_hash(_bytes(DH_PRIME), _bytes(_G)))


def _verifier(call: Call) -> Verifier:
    """Return the verifier, made at the first call: that takes a tenth of a second."""
    state = call.state
    if state.verifier is None:
        state.verifier = make_verifier(call.options.password)
    return state.verifier


@serves(functions.account.GetPasswordRequest, login=False)
def get_password(call: Call, request: Any) -> Any:
    """Return the algorithms and a new challenge; only the newest challenge of an authorization key is valid."""
    if not (call.key.user_id or call.key.pending):
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    options = call.options
    unset = types.PasswordKdfAlgoUnknown()
    rules: dict[str, Any] = {
        "new_algo": unset,
        "new_secure_algo": types.SecurePasswordKdfAlgoUnknown(),
        "secure_random": os.urandom(256),
    }
    if not options.password:
        return types.account.Password(**rules)
    verifier = _verifier(call)
    b = secrets.randbits(2048)
    public = _bytes((_K * verifier.v + pow(_G, b, DH_PRIME)) % DH_PRIME)
    challenges = call.state.challenges
    for old in [id for id, asked in challenges.items() if asked.key_id == call.key.key_id]:
        del challenges[old]
    srp_id = secrets.randbits(62)
    challenges[srp_id] = Challenge(call.key.key_id, b, public)
    return types.account.Password(
        has_password=True,
        current_algo=verifier.algo,
        srp_B=public,
        srp_id=srp_id,
        hint=options.hint or None,
        **rules,
    )


@serves(functions.auth.CheckPasswordRequest, login=False)
def check_password(call: Call, request: Any) -> Any:
    """Complete a login that has passed the code or the QR code."""
    if not call.key.pending:
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    given = request.password
    if not isinstance(given, types.InputCheckPasswordSRP):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    challenge = call.state.challenges.pop(given.srp_id, None)
    if challenge is None or challenge.key_id != call.key.key_id:
        raise RpcError(400, "SRP_ID_INVALID")
    if not is_valid_proof(_verifier(call), challenge, bytes(given.A), bytes(given.M1)):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    call.key.user_id, call.key.pending = call.key.pending, 0
    return types.auth.Authorization(call.world.entity(call.key.user_id))


def is_valid_proof(verifier: Verifier, challenge: Challenge, a_public: bytes, proof: bytes) -> bool:
    """Check that ``proof`` (M1) belongs to ``a_public`` (A) and the password of ``verifier``."""
    a = _number(a_public)
    if not 0 < a < DH_PRIME or len(a_public) > _SIZE:
        return False
    u = _number(_hash(_bytes(a), challenge.public))
    shared = pow(a * pow(verifier.v, u, DH_PRIME), challenge.b, DH_PRIME)
    p, g = _hash(_bytes(DH_PRIME)), _hash(_bytes(_G))
    right = _hash(
        bytes(x ^ y for x, y in zip(p, g, strict=True)),
        _hash(verifier.algo.salt1),
        _hash(verifier.algo.salt2),
        _bytes(a),
        challenge.public,
        _hash(_bytes(shared)),
    )
    return hmac.compare_digest(right, proof)
