"""Everything that a study gathered, as a Psych-DS data set that explains itself and tells when
it is cut.

Rows go from the database into a file or a download as they are read: memory does not grow
with the number of answers.
"""

from studies.services.exports.folders import write_export
from studies.services.exports.identifiers import write_identifying_export
from studies.services.exports.stored import KEPT, file_name
from studies.services.exports.zips import stream_zip

__all__ = ["KEPT", "file_name", "stream_zip", "write_export", "write_identifying_export"]
