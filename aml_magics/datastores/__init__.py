"""Listing, reading and writing the objects of a datastore."""

from aml_magics.datastores.base import ObjectInfo, ObjectStore
from aml_magics.datastores.blob import BlobContainer
from aml_magics.datastores.folder import Folder

__all__ = ["BlobContainer", "Folder", "ObjectInfo", "ObjectStore"]
