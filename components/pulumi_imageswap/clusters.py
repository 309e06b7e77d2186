"""Which clusters there are, and how images are swapped on each.

Source: the support table of Palette's image swap documentation.
"""

import difflib

MANAGED = ("eks", "aks", "gke")
NON_MANAGED = ("kubeadm", "k3s", "rke2", "talos", "openshift", "palette")


def check(cluster: str, *, allow_without_mirrors: bool) -> str:
    """Check that images can be swapped on a kind of cluster.

    Takes the kind, and whether the user accepts a non-managed cluster without mirror registries.
    Gives "" or what is wrong, with the fix.
    """
    known = (*MANAGED, *NON_MANAGED)
    if cluster not in known:
        near = difflib.get_close_matches(cluster.lower(), known, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        return f"cluster: `{cluster}` is not one of {', '.join(known)}{hint}"
    if cluster in NON_MANAGED and not allow_without_mirrors:
        return (
            f"cluster: image swap on a non-managed cluster ({cluster}) requires mirror registries "
            "to be specified; set `allowWithoutMirrors: true` to use the webhook's rules alone"
        )
    return ""
