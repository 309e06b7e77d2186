"""AdmissionReviews as an API server sends them, of a given size; the same ones at each call."""

import hashlib
import json
from typing import Any

_BASE_CONTAINERS = (
    ("proxy", "docker.io/envoyproxy/envoy:v1.31.0"),
    ("app", "quay.io/team/app:1.2.3"),
    ("metrics", "gcr.io/project/exporter:2.0"),
)
_NAME = "shop-7c9d8b5f6d"


def admission_review(size: int) -> bytes:
    """Give the review of a new Pod, of which most images are swapped by `rules`.

    Takes its size in bytes, of at least 5,000; what it is short of the size is less than 1,000
    bytes. It grows by containers of 30 environment variables each, as real Pods do.
    """
    containers = [_container(name, image, 5) for name, image in _BASE_CONTAINERS]
    whole = review = _review(containers)
    number = 0
    while len(review) <= size:
        whole = review
        if number % 30 == 0:
            image = f"docker.io/team/sidecar:{number}"
            containers.append(_container(f"sidecar-{number}", image, 0))
        containers[-1]["env"].append(_variable(number))
        number += 1
        review = _review(containers)
    return whole


def rules(count: int) -> str:
    """Give a map of so many rules: those for the reviews' images, and others for images like them.

    Takes the number, of at least 4.
    """
    used = [
        "default::",
        "docker.io::harbor.example/hub",
        "quay.io::harbor.example/quay",
        "quay.io/team::harbor.example/team",
    ]
    others = (f"quay.io/team{n}::harbor.example/team{n}" for n in range(count - len(used)))
    return "\n".join([*used, *others, ""])


def _variable(number: int) -> dict[str, str]:
    value = hashlib.sha256(str(number).encode()).hexdigest()
    return {"name": f"SETTING_{number:04}", "value": f"https://example.org/{value}"}


def _container(name: str, image: str, variables: int) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "args": ["--listen=:8080", f"--name={name}"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [_variable(number) for number in range(variables)],
        "resources": {
            "limits": {"memory": "256Mi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
        "volumeMounts": [
            {
                "name": "kube-api-access-x2x7q",
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            }
        ],
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
        },
    }


def _review(containers: list[dict[str, Any]]) -> bytes:
    pods = {"group": "", "version": "v1", "resource": "pods"}
    pod = {"group": "", "version": "v1", "kind": "Pod"}
    review = {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": pod,
            "resource": pods,
            "requestKind": pod,
            "requestResource": pods,
            "namespace": "shop",
            "operation": "CREATE",
            "userInfo": {
                "username": "system:serviceaccount:kube-system:replicaset-controller",
                "uid": "6b3ee5b5-3d2d-4f6b-9b1f-6a4b36a1f4d2",
                "groups": ["system:serviceaccounts", "system:authenticated"],
            },
            "object": {
                "kind": "Pod",
                "apiVersion": "v1",
                "metadata": {
                    "generateName": f"{_NAME}-",
                    "namespace": "shop",
                    "creationTimestamp": None,
                    "labels": {"app": "shop", "pod-template-hash": _NAME.rpartition("-")[2]},
                    "ownerReferences": [
                        {
                            "apiVersion": "apps/v1",
                            "kind": "ReplicaSet",
                            "name": _NAME,
                            "uid": "0a5fbb9d-4a5a-4a1b-8d2b-0f5b5e0a7c11",
                            "controller": True,
                            "blockOwnerDeletion": True,
                        }
                    ],
                    "managedFields": _managed_fields(containers),
                },
                "spec": {
                    "volumes": [
                        {
                            "name": "kube-api-access-x2x7q",
                            "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]},
                        }
                    ],
                    "containers": containers,
                    "restartPolicy": "Always",
                    "terminationGracePeriodSeconds": 30,
                    "dnsPolicy": "ClusterFirst",
                    "serviceAccountName": "default",
                    "securityContext": {"runAsNonRoot": True},
                    "schedulerName": "default-scheduler",
                    "enableServiceLinks": True,
                },
                "status": {},
            },
            "oldObject": None,
            "dryRun": False,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    }
    return json.dumps(review, separators=(",", ":")).encode()


def _managed_fields(containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the API server notes of who set which field."""
    owned: dict[str, dict[str, Any]] = {
        f'k:{{"name":"{container["name"]}"}}': {
            ".": {},
            **{f"f:{field}": {} for field in container if field != "env"},
        }
        for container in containers
    }
    return [
        {
            "manager": "kube-controller-manager",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:containers": owned}},
        }
    ]
