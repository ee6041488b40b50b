"""Listing, reading and writing the objects of a datastore."""

from aml_magics.datastores.base import ObjectInfo, ObjectStore
from aml_magics.datastores.folder import Folder

__all__ = ["Folder", "ObjectInfo", "ObjectStore"]
