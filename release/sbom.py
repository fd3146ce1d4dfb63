"""Bills of materials in CycloneDX JSON, of what was installed: packages, what they contain, and Debian's packages."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from release import licenses

PROJECT = "imageconverter-stack"
_VERSION = SchemaVersion.V1_6


def write(file: Path, kind: ComponentType, packages: Path, debian: Iterable[Mapping[str, str]], epoch: int) -> None:
    """Write the bill of materials of an installed project, with the time *epoch* in seconds since 1970.

    *packages* is the folder of its Python packages, *debian* what dpkg knows of Debian's. Raises ValueError if the
    result violates the schema of CycloneDX, and KeyError if a package has no reviewed license.
    """
    installed = {canonicalize_name(each.name): each for each in distributions(path=[str(packages)])}
    project = installed[canonicalize_name(PROJECT)]
    components = {name: _package(name, each) for name, each in installed.items() if each is not project}
    subject = Component(
        name="imageconverter",
        version=project.version,
        type=kind,
        licenses=[LicenseExpression("Apache-2.0")],
        bom_ref=f"{file.name}",
        components=map(_asset, licenses.assets()),
    )
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"{PROJECT}/{project.version}/{file.name}/{epoch}"),
        components=[*components.values(), *map(_debian_package, debian)],
    )
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.metadata.component = subject
    for component in bom.components:
        bom.register_dependency(component)
    bom.register_dependency(subject, bom.components)
    for name, component in components.items():
        bom.register_dependency(component, [components[each] for each in _needs(installed[name]) & set(components)])
    text = make_outputter(bom, OutputFormat.JSON, _VERSION).output_as_string(indent=2)
    if error := make_schemabased_validator(OutputFormat.JSON, _VERSION).validate_str(text):
        raise ValueError(f"{file.name} is no valid CycloneDX: {error}")
    file.write_text(f"{text}\n", encoding="utf-8")


def _package(name: str, found: Distribution) -> Component:
    reviewed = licenses.load()
    libraries = [
        each.name for each in found.files or () if each.parts[0].endswith(".libs") and Path(each.locate()).exists()
    ]
    contents = [(ComponentType.APPLICATION, *each) for each in reviewed.programs.get(name, {}).items()] + [
        (ComponentType.LIBRARY, library, expression)
        for library, expression in reviewed.libraries.get(name, {}).items()
        if any(re.match(rf"lib{re.escape(library)}[-.]", file) for file in libraries)
    ]
    return Component(
        name=name,
        version=found.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", None, name, found.version),
        bom_ref=f"pypi/{name}",
        licenses=[LicenseExpression(reviewed.packages[name])],
        components=[
            Component(name=part, type=kind, licenses=[LicenseExpression(expression)], bom_ref=f"{name}/{part}")
            for kind, part, expression in contents
        ],
    )


def _needs(found: Distribution) -> set[NormalizedName]:
    """Return the packages that a package requires without any extra."""
    requirements = map(Requirement, found.requires or ())
    return {canonicalize_name(each.name) for each in requirements if "extra" not in str(each.marker)}


def _asset(asset: licenses.Asset) -> Component:
    return Component(
        name=asset.name,
        version=asset.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("npm", None, asset.name, asset.version),
        bom_ref=f"npm/{asset.name}",
        licenses=[LicenseExpression(asset.license)],
    )


def _debian_package(fields: Mapping[str, str]) -> Component:
    name, version, architecture = (fields[each] for each in ("Package", "Version", "Architecture"))
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("deb", "debian", name, version, {"arch": architecture}),
        bom_ref=f"debian/{name}",
    )
