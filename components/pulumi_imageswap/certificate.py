"""The webhook's certificate: a long-lived CA and a leaf for the Service's names."""

import pulumi
import pulumi_tls as tls

_YEAR_HOURS = 365 * 24
CA_VALIDITY_HOURS = 10 * _YEAR_HOURS
LEAF_VALIDITY_HOURS = _YEAR_HOURS
LEAF_RENEWAL_HOURS = _YEAR_HOURS // 2
_ALGORITHM = "ECDSA"
_CURVE = "P256"


class Certificate(pulumi.ComponentResource):
    """A CA made by pulumi-tls and a leaf that it signs.

    The leaf is made anew by any ``pulumi up`` in the second half of its year; the CA stays put.
    """

    ca_pem: pulumi.Output[str]
    """The CA's certificate, PEM."""
    certificate_pem: pulumi.Output[str]
    """The leaf's certificate, PEM."""
    private_key_pem: pulumi.Output[str]
    """The leaf's private key, PEM; a secret."""

    def __init__(
        self,
        name: str,
        service: pulumi.Input[str],
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the certificate of the Service ``service`` in ``namespace``."""
        super().__init__("imageswap:index:Certificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        ca_key = tls.PrivateKey(
            f"{name}-ca-key", algorithm=_ALGORITHM, ecdsa_curve=_CURVE, opts=child
        )
        ca = tls.SelfSignedCert(
            f"{name}-ca",
            private_key_pem=ca_key.private_key_pem,
            is_ca_certificate=True,
            validity_period_hours=CA_VALIDITY_HOURS,
            allowed_uses=["cert_signing", "crl_signing"],
            subject={"common_name": f"{name} CA"},
            set_subject_key_id=True,
            opts=child,
        )
        key = tls.PrivateKey(f"{name}-key", algorithm=_ALGORITHM, ecdsa_curve=_CURVE, opts=child)
        host = pulumi.Output.concat(service, ".", namespace, ".svc")
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            # The API server asks for the first; a longer name than 64 characters fits no subject.
            dns_names=[host, pulumi.Output.concat(host, ".cluster.local")],
            subject={"common_name": name},
            opts=child,
        )
        leaf = tls.LocallySignedCert(
            f"{name}-leaf",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=ca_key.private_key_pem,
            ca_cert_pem=ca.cert_pem,
            validity_period_hours=LEAF_VALIDITY_HOURS,
            early_renewal_hours=LEAF_RENEWAL_HOURS,
            allowed_uses=["digital_signature", "server_auth"],
            opts=child,
        )
        self.ca_pem = ca.cert_pem
        self.certificate_pem = leaf.cert_pem
        self.private_key_pem = pulumi.Output.secret(key.private_key_pem)
        self.register_outputs({"caPem": self.ca_pem, "certificatePem": self.certificate_pem})
