"""Requests about topics and the broker itself."""

from typing import Final, NamedTuple

import structlog

from stream.broker.errors import ErrorCode, Refused
from stream.broker.policy import BrokerPolicy
from stream.broker.store import Store, Topic
from stream.broker.wire import Api, Reader, Request, array, boolean, int8, int16, int32, since, string

log = structlog.get_logger()

NODE: Final = 1
"""Id of the only node."""
_CLUSTER: Final = "warmline"
_TOPIC_RESOURCE: Final = 2


class NewTopic(NamedTuple):
    """What a client wants created."""

    name: str
    partitions: int
    replication: int
    assignments: int
    """How many partitions were placed by hand."""
    config: dict[str, str]


class TopicApi:
    """Answers about what there is."""

    def __init__(self, store: Store, policy: BrokerPolicy, port: int) -> None:
        self._store = store
        self._policy = policy
        self._port = port

    def apis(self) -> dict[int, Api]:
        return {
            3: Api(0, 5, self.metadata),
            10: Api(0, 2, self.find_coordinator),
            19: Api(0, 3, self.create_topics),
            20: Api(0, 3, self.delete_topics),
            32: Api(0, 2, self.describe_configs),
        }

    @property
    def _address(self) -> bytes:
        return int32(NODE) + string(self._policy.host) + int32(self._port)

    async def metadata(self, request: Request) -> bytes:
        """The node and the topics; a topic that is asked for by name is created, if the client wants that."""
        version = request.version
        names = request.body.nullable_array(Reader.string)
        create = request.body.boolean() if version >= 4 else True
        if names is None or (version == 0 and not names):
            names = list(self._store.topics)
        topics = [self._topic_metadata(name, version, create=create) for name in names]
        return (
            since(version, 3, int32(0))
            + array([self._address + since(version, 1, string(None))])
            + since(version, 2, string(_CLUSTER))
            + since(version, 1, int32(NODE))
            + array(topics)
        )

    def _topic_metadata(self, name: str, version: int, *, create: bool) -> bytes:
        code = ErrorCode.NONE
        topic = self._store.topics.get(name)
        if topic is None:
            code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            if create:
                topic, code = self._create(NewTopic(name, self._policy.partitions, 1, 0, {}))
        partitions = range(0 if topic is None else len(topic.logs))
        alone = array([int32(NODE)])
        described = [
            int16(ErrorCode.NONE) + int32(n) + int32(NODE) + alone + alone + since(version, 5, array([]))
            for n in partitions
        ]
        return int16(code) + string(name) + since(version, 1, boolean(False)) + array(described)

    def _create(self, wanted: NewTopic) -> tuple[Topic | None, ErrorCode]:
        try:
            topic = self._store.create_topic(wanted.name, wanted.partitions, wanted.config)
        except Refused as refused:
            log.info("topic_refused", reason=str(refused))
            return None, refused.code
        except OSError as error:
            log.error("disk_refused", topic=wanted.name, error=str(error))
            return None, ErrorCode.STORAGE_ERROR
        log.info("topic_created", topic=wanted.name, partitions=wanted.partitions)
        return topic, ErrorCode.NONE

    async def create_topics(self, request: Request) -> bytes:
        """Create topics, or only look whether that could be done."""

        def new_topic(r: Reader) -> NewTopic:
            name, partitions, replication = r.string(), r.int32(), r.int16()
            assignments = r.array(lambda a: (a.int32(), a.array(Reader.int32)))
            config = r.array(lambda c: (c.string(), c.nullable_string()))
            if partitions < 0:
                partitions = len(assignments) or self._policy.partitions
            known = {key: value for key, value in config if value is not None}
            return NewTopic(name, partitions, replication, len(assignments), known)

        wanted = request.body.array(new_topic)
        request.body.int32()
        only_check = request.body.boolean() if request.version >= 1 else False
        answers: list[bytes] = []
        for topic in wanted:
            code, message = self._create_one(topic, only_check=only_check)
            answers.append(string(topic.name) + int16(code) + since(request.version, 1, string(message)))
        return since(request.version, 2, int32(0)) + array(answers)

    def _create_one(self, topic: NewTopic, *, only_check: bool) -> tuple[ErrorCode, str | None]:
        try:
            if topic.replication not in {-1, 1} and not topic.assignments:
                raise Refused(
                    ErrorCode.INVALID_REPLICATION_FACTOR, "1 replica on the only node", f"{topic.replication}"
                )
            self._store.check_topic(topic.name, topic.partitions, topic.config)
        except Refused as refused:
            return refused.code, str(refused)
        return (ErrorCode.NONE, None) if only_check else (self._create(topic)[1], None)

    async def delete_topics(self, request: Request) -> bytes:
        names = request.body.array(Reader.string)
        answers = [string(name) + int16(self._delete(name)) for name in names]
        return since(request.version, 1, int32(0)) + array(answers)

    def _delete(self, name: str) -> ErrorCode:
        try:
            self._store.delete_topic(name)
        except Refused as refused:
            return refused.code
        except OSError as error:
            log.error("disk_refused", topic=name, error=str(error))
            return ErrorCode.STORAGE_ERROR
        log.info("topic_deleted", topic=name)
        return ErrorCode.NONE

    async def describe_configs(self, request: Request) -> bytes:
        """What a topic was created with."""
        wanted = request.body.array(lambda r: (r.int8(), r.string(), r.nullable_array(Reader.string)))
        answers = [self._describe(kind, name, keys, request.version) for kind, name, keys in wanted]
        return int32(0) + array(answers)

    def _describe(self, kind: int, name: str, keys: list[str] | None, version: int) -> bytes:
        topic = self._store.topics.get(name) if kind == _TOPIC_RESOURCE else None
        missing = kind == _TOPIC_RESOURCE and topic is None
        code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION if missing else ErrorCode.NONE
        config = {} if topic is None else topic.created.config
        # Read-only, source 1 (topic) or not the default, not sensitive, no synonyms.
        entries = [
            string(key) + string(value) + boolean(False) + (int8(1) if version >= 1 else boolean(False))
            + boolean(False) + since(version, 1, array([]))
            for key, value in config.items() if keys is None or key in keys
        ]  # fmt: skip
        return int16(code) + string(None) + int8(kind) + string(name) + array(entries)

    async def find_coordinator(self, request: Request) -> bytes:
        """The only node coordinates all groups, and no transactions."""
        request.body.string()
        kind = request.body.int8() if request.version >= 1 else 0
        code = ErrorCode.NONE if kind == 0 else ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        return (
            since(request.version, 1, int32(0)) + int16(code) + since(request.version, 1, string(None)) + self._address
        )
